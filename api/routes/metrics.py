"""What Prometheus asks for (api.md section 7)."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.deps import AppParts
from storage.availability import database_is_away
from storage.backlog import Backlog, read_backlog
from storage.session import Database

router = APIRouter(tags=["operations"])

_PATIENCE = 3.0
"""Seconds to wait for the database: Prometheus gives up on the whole answer after ten."""


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Metrics in Prometheus' text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def metrics(parts: AppParts) -> Response:
    """The counters of this process, and what waits in the record. Nothing tells of a customer."""
    backlog, temporal_up = await asyncio.gather(
        _backlog(parts.database), parts.temporal.reachable()
    )
    return Response(
        parts.metrics.exposition(backlog, temporal_up=temporal_up),
        media_type=CONTENT_TYPE_PLAIN_0_0_4,
    )


async def _backlog(database: Database) -> Backlog | None:
    try:
        async with asyncio.timeout(_PATIENCE), database.transaction() as connection:
            return await read_backlog(connection)
    except Exception as error:
        if database_is_away(error):
            return None
        raise
