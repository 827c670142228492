"""The HTTP API of one process, put together from parts that its caller owns."""

import asyncio

from fastapi import APIRouter, FastAPI

from api.csv_stream import AT_ONCE as REPORTS_AT_ONCE
from api.deps import KnownKeys, Parts
from api.errors import add_error_handling
from api.importing import AT_ONCE as IMPORTS_AT_ONCE
from api.metrics import CountRequests, Metrics
from api.openapi import describe, operation_id
from api.routes import (
    app_pages,
    campaigns,
    channels,
    customers,
    docs,
    draft_tests,
    entries,
    health,
    held_templates,
    imports,
    me,
    messages,
    metrics,
    opt_outs,
    provider_webhook,
    publishing,
    reports,
    send,
    sendout_errors,
    sendouts,
    simulate,
    templates,
    webhooks,
)
from api.throttle import Throttle
from domain.ports import (
    AddressCheck,
    Closing,
    Numbers,
    Pokes,
    Rates,
    Signals,
    Templates,
    TemporalHealth,
    Wakes,
)
from domain.webhook_address import Allowed
from settings import Settings
from storage.session import Database
from webhooks.addresses import Addresses

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    metrics.router,
    me.router,
    send.router,
    messages.router,
    campaigns.router,
    publishing.router,
    draft_tests.router,
    simulate.router,
    sendouts.router,
    sendout_errors.router,
    imports.router,
    entries.router,
    customers.router,
    opt_outs.router,
    reports.router,
    channels.router,
    templates.router,
    held_templates.router,
    webhooks.router,
    provider_webhook.router,
    docs.router,
    app_pages.router,
)
"""Every resource of the API, in the order of its documentation."""


def create_app(
    settings: Settings,
    database: Database,
    *,
    pokes: Pokes,
    signals: Signals,
    temporal: TemporalHealth,
    closing: Closing | None = None,
    templates: Templates | None = None,
    rates: Rates | None = None,
    numbers: Numbers | None = None,
    wakes: Wakes | None = None,
    addresses: AddressCheck | None = None,
    counted: Metrics | None = None,
) -> FastAPI:
    """The ASGI application. It opens and closes nothing: the parts are its caller's."""
    counted = counted or Metrics()
    app = FastAPI(
        title="Sendout",
        version="1.0",
        description="WhatsApp campaigns: flows, sendouts, and every customer's way through them.",
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    app.state.parts = Parts(
        settings,
        database,
        pokes,
        signals,
        temporal,
        counted,
        closing,
        templates,
        rates,
        numbers,
        wakes,
        addresses or Addresses(Allowed(settings.webhook_allow)),
    )
    app.state.known_keys = KnownKeys(database)
    app.state.report_slots = asyncio.Semaphore(REPORTS_AT_ONCE)
    app.state.import_slots = asyncio.Semaphore(IMPORTS_AT_ONCE)
    app.state.send_throttle = Throttle(
        settings.requests_per_second, instead=", or put more entries into one request"
    )
    app.state.templated_throttle = Throttle(settings.requests_per_second)
    app.state.session_throttle = Throttle(settings.requests_per_second)
    add_error_handling(app)
    app.add_middleware(CountRequests, metrics=counted)
    for router in ROUTERS:
        app.include_router(router)
    return app
