"""Every error answer in one of the two documented shapes (api.md section 1)."""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from asyncpg import InterfaceError, PostgresError
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.errors import (
    ApiError,
    BadRequest,
    Conflict,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PartialError,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from storage.availability import database_is_away
from storage.session import CommitOutcomeUnknown

log = structlog.get_logger(__name__)

FLAT_STATUSES = frozenset({400, 401, 404, 409, 500})
"""The statuses for which the document names no schema; every other error is its `rpcStatus`."""

ERROR_TYPE_URL = "type.googleapis.com/connectly.error.PartialError"

_RPC_CODES = {403: 7, 405: 12, 413: 8, 415: 3, 422: 9, 429: 8, 503: 14}
_RPC_UNKNOWN = 2

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_NUMBER_OF_A_PERSON = re.compile(r"\+?\d[\d\-. ()]{5,}\d(?=\d{2})")


class JsonResponse(Response):
    """An answer as UTF-8 JSON; halves of surrogate pairs are echoed as escapes."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json_bytes(content)


def json_bytes(content: Any) -> bytes:
    """Compact JSON in UTF-8."""
    try:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(content, separators=(",", ":")).encode()


def new_trace_id() -> str:
    """The decimal digits of a new 64-bit id, for `cntTraceId` and the log."""
    return str(secrets.randbits(64))


def error_fields(error: PartialError, details: Mapping[str, Any], trace_id: str) -> dict[str, Any]:
    """The flat error object."""
    return {**error.as_json(), "cntTraceId": trace_id, "details": dict(details)}


def error_response(error: ApiError, trace_id: str | None = None) -> JsonResponse:
    """The answer to a request that went wrong."""
    flat = error_fields(error.error, error.details, trace_id or new_trace_id())
    if error.status in FLAT_STATUSES:
        return JsonResponse(flat, error.status, error.headers)
    body = {
        "code": _RPC_CODES.get(error.status, _RPC_UNKNOWN),
        "message": error.error.message,
        "details": [{"@type": ERROR_TYPE_URL, **flat}],
    }
    return JsonResponse(body, error.status, error.headers)


def add_error_handling(app: FastAPI) -> None:
    """Have every error of `app`, the framework's own included, answered in the documented shapes."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(ClientDisconnect, _client_left)
    app.add_exception_handler(CommitOutcomeUnknown, _commit_unknown)
    for kind in (SQLAlchemyError, PostgresError, InterfaceError, OSError):
        app.add_exception_handler(kind, _unexpected)
    app.add_middleware(_LastResort)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - what it is registered for
    trace_id = new_trace_id()
    write = log.error if error.status >= 500 else log.info
    write(
        "request refused",
        cntTraceId=trace_id,
        status=error.status,
        code=error.error.code.value,
        reason=masked(error.error.message),
        **_where(request),
    )
    return error_response(error, trace_id)


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if error.status_code == 405:
        return await _api_error(request, _method_not_allowed(request))
    return await _api_error(request, _as_api_error(error))


def _method_not_allowed(request: Request) -> ApiError:
    # The framework names the methods of the first route at the address, not of all of them.
    allowed = ", ".join(
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    )
    return MethodNotAllowed(
        f"This address answers {allowed or 'other methods'}.", headers={"Allow": allowed}
    )


def _as_api_error(error: HTTPException) -> ApiError:
    headers = error.headers or {}
    match error.status_code:
        case 401:
            return Unauthenticated()
        case 403:
            return PermissionDenied(str(error.detail))
        case 404:
            return NotFound("There is nothing at this address; see /docs for those that exist.")
        case 409:
            return Conflict(str(error.detail), headers=headers)
        case status if status >= 500:
            return InternalError()
        case _:
            return BadRequest(str(error.detail), headers=headers)


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    first = error.errors()[0]
    # The first step says where the field is (path, query, header, body), which the name implies.
    field = ".".join(str(step) for step in first["loc"][1:]) or "body"
    said = str(first["msg"]).replace("Input should", "it should")
    return await _api_error(request, BadRequest(f"Please check `{field}`: {said}."))


async def _client_left(_request: Request, _error: Exception) -> Response:
    # Nobody reads this answer, and nothing was accepted: the body never arrived in full.
    return error_response(BadRequest("The connection was closed before the body was complete."))


async def _commit_unknown(request: Request, _error: Exception) -> Response:
    said = (
        "The database went away while the request was being stored; it may or may not have been. "
        "Repeat it with the same Idempotency-Key or under allow_one."
    )
    return await _api_error(request, Unavailable(said, details={"commit": "unknown"}))


async def _unexpected(request: Request, error: Exception) -> Response:
    """Whatever nobody foresaw: 503 when the database is away, else 500 and a loud log."""
    if database_is_away(error):
        return await _api_error(
            request,
            Unavailable("The database cannot be reached; nothing was done. Please repeat."),
        )
    trace_id = new_trace_id()
    log.error(
        "request failed",
        cntTraceId=trace_id,
        error=f"{type(error).__name__}: {masked(str(error))}",
        frames=" > ".join(_frames(error)),
        **_where(request),
    )
    return error_response(InternalError(), trace_id)


def _frames(error: Exception) -> list[str]:
    """Where it happened, innermost last; code only, no values."""
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return frames[-20:]


def _where(request: Request) -> dict[str, str]:
    """The route, not the address: addresses hold customers' numbers."""
    route = request.scope.get("route")
    return {"method": request.method, "route": getattr(route, "path", "-")}


def masked(text: str) -> str:
    """`text` with whatever looks like a person's number cut down to its last two digits."""
    return _NUMBER_OF_A_PERSON.sub("…", text)


class _LastResort:
    """Answers what no handler caught; without it the server's own log would print everything."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception as error:
            if started:
                raise
            response = await _unexpected(Request(scope), error)
            await response(scope, receive, send)
