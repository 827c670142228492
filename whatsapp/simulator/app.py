"""The simulator as a web application and as a process: api.md section 8, "Simulator"."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from whatsapp.simulator import chats, control, graph, page
from whatsapp.simulator.config import SimulatorConfig
from whatsapp.simulator.control import ControlError
from whatsapp.simulator.dropped import HangUpProtocol
from whatsapp.simulator.graph_error import GraphError
from whatsapp.simulator.inbound import NeverReceivedError, UnknownTargetError
from whatsapp.simulator.simulator import Simulator

# Longer than clients keep an idle connection, so that none is closed under a request.
_KEEP_ALIVE = 75

_ABOUT = {
    "about": "A local WhatsApp Cloud API: messages sent here reach simulated customers only.",
    "page": "GET / shows each customer's phone.",
    "graph": [
        "POST /v25.0/{phone_number_id}/messages",
        "GET, POST /v25.0/{waba_id}/message_templates",
        "POST /v25.0/{phone_number_id}/media",
        "GET /v25.0/{media_id}",
        "GET /v25.0/{phone_number_id}?fields=",
    ],
    "control": [
        "GET /_sim/messages?to=&after=",
        "GET /_sim/chats?search=",
        "GET /_sim/chat?customer=&after=",
        "POST /_sim/click {messageId, button}",
        "POST /_sim/reply {from, text, sender?}",
        "POST /_sim/user-preference {from, value: stop|resume, sender?}",
        "GET, PUT /_sim/templates",
        "POST /_sim/templates/from-flow {wabaId, templates}",
        "GET, PUT /_sim/behaviour",
        "GET, PUT /_sim/channels",
        "POST /_sim/reset",
    ],
}


def create_app(config: SimulatorConfig) -> FastAPI:
    """The application. Dropped connections need the protocol that `create_server` gives it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        simulator = Simulator(config)
        app.state.simulator = simulator
        async with simulator.webhooks:
            yield
        simulator.database.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    # The control side first: its paths would match the Graph's, too.
    app.include_router(chats.router)
    app.add_api_route("/_sim", _about)
    app.include_router(control.router)
    app.include_router(page.router)
    app.include_router(graph.router)
    app.add_exception_handler(GraphError, _graph_error)
    app.add_exception_handler(ControlError, _control_error)
    app.add_exception_handler(UnknownTargetError, _not_found)
    app.add_exception_handler(NeverReceivedError, _conflict)
    app.add_exception_handler(HTTPException, _unknown_path)
    return app


def create_server(config: SimulatorConfig) -> uvicorn.Server:
    """A server for the application, not yet running: `await server.serve()` runs it."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            host=config.host,
            port=config.port,
            http=HangUpProtocol,
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=2,
        )
    )


def serve(config: SimulatorConfig) -> None:
    """Runs a simulator until SIGINT or SIGTERM."""
    # The server has shut down cleanly when it raises the signal again.
    with suppress(KeyboardInterrupt):
        create_server(config).run()


async def _about() -> dict[str, Any]:
    return _ABOUT


def _is_control(request: Request) -> bool:
    return request.url.path.startswith("/_sim")


async def _graph_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GraphError)  # noqa: S101 - narrows the type of a handler
    if _is_control(request):
        # A bad template definition: the control side answers in its own, plainer form.
        return JSONResponse({"error": error.details}, status_code=error.status)
    return JSONResponse(error.body(), status_code=error.status)


async def _control_error(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=getattr(error, "status", 400))


async def _not_found(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=404)


async def _conflict(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=409)


async def _unknown_path(request: Request, error: Exception) -> JSONResponse:
    status = getattr(error, "status_code", 404)
    if _is_control(request):
        return JSONResponse({"error": str(getattr(error, "detail", ""))}, status_code=status)
    unknown = GraphError(2500, f"Unknown path components: {request.url.path}")
    return JSONResponse(unknown.body(), status_code=unknown.status)
