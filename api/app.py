"""The HTTP API of one process, put together from parts that its caller owns."""

from fastapi import APIRouter, FastAPI

from api.deps import KnownKeys, Parts
from api.errors import add_error_handling
from api.metrics import CountRequests, Metrics
from api.openapi import describe, operation_id
from api.routes import (
    campaigns,
    channels,
    customers,
    docs,
    draft_tests,
    entries,
    health,
    me,
    metrics,
    opt_outs,
    provider_webhook,
    publishing,
    send,
    sendouts,
    simulate,
)
from api.throttle import Throttle
from domain.ports import Closing, Numbers, Pokes, Rates, Signals, Templates, TemporalHealth
from settings import Settings
from storage.session import Database

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    metrics.router,
    me.router,
    send.router,
    campaigns.router,
    publishing.router,
    draft_tests.router,
    simulate.router,
    sendouts.router,
    entries.router,
    customers.router,
    opt_outs.router,
    channels.router,
    provider_webhook.router,
    docs.router,
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
        settings, database, pokes, signals, temporal, counted, closing, templates, rates, numbers
    )
    app.state.known_keys = KnownKeys(database)
    app.state.send_throttle = Throttle(settings.requests_per_second)
    add_error_handling(app)
    app.add_middleware(CountRequests, metrics=counted)
    for router in ROUTERS:
        app.include_router(router)
    return app
