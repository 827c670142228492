"""Whether this process and the whole stack can work (api.md section 7)."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.deps import AppParts
from api.schemas.common import Schema
from storage.availability import database_is_away
from storage.schema import is_current
from storage.session import CommitOutcomeUnknown, Database

_TEMPORAL_ANSWERS_WITHIN = 3.0

router = APIRouter(tags=["operations"])


class Readiness(Schema):
    """Whether the work can be done, and how each part stands."""

    status: Literal["ok", "degraded", "unready"]
    checks: dict[str, str]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is up."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "It cannot work; `checks` says why."}},
)
async def readyz(
    parts: AppParts,
    all_: Annotated[
        bool, Query(alias="all", description="Ask for Temporal and a worker as well.")
    ] = False,
) -> JSONResponse:
    """200 when this process can do its own work; with `all=1` when the whole stack can."""
    database = await _database_state(parts.database)
    temporal = "ok" if await _in_time(parts.temporal.reachable()) else "away"
    checks = {"database": database, "temporal": temporal}
    ready = database == "ok"
    if all_:
        polling = temporal == "ok" and await _in_time(parts.temporal.worker_polling())
        checks["worker"] = "ok" if polling else "away"
        ready = ready and polling
    status = "unready" if not ready else "ok" if temporal == "ok" else "degraded"
    return JSONResponse({"status": status, "checks": checks}, 200 if ready else 503)


async def _database_state(database: Database) -> str:
    try:
        async with database.transaction() as connection:
            return "ok" if await is_current(connection) else "schema is not current"
    except Exception as error:
        if database_is_away(error) or isinstance(error, CommitOutcomeUnknown):
            return "away"
        raise


async def _in_time(answer: Awaitable[bool]) -> bool:
    """The answer; False when a first connection hangs, for which the client knows no limit."""
    try:
        return await asyncio.wait_for(answer, _TEMPORAL_ANSWERS_WITHIN)
    except TimeoutError:
        return False
