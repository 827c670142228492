"""A campaign report as an answer: CSV that is read from the database while it is sent."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from domain.campaign_report import Labels, ReportRow, header, lines
from storage.campaign_report import Scope, report_rows
from storage.session import Database

log = structlog.get_logger(__name__)

CSV = "text/csv"
CSV_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The report."}
}
"""What `/docs` tells of such an answer: a route's `responses`."""

AT_ONCE = 4
"""Reports sent at once by a process; further ones wait. Each keeps a database connection."""

_PATIENCE = 60.0
"""Seconds a reader may take for one page before it loses the connection."""

_Page = list[tuple[ReportRow, Labels]]


async def csv_answer(
    request: Request, database: Database, scope: Scope, filename: str
) -> "CsvStream":
    """The report as the answer to this request.

    The first page is read before it begins, so that a database that is away is still answered 503;
    if it goes away later the connection is cut, and no client takes a part for the whole.
    """
    slots: asyncio.Semaphore = request.app.state.report_slots
    async with contextlib.AsyncExitStack() as opening:
        await opening.enter_async_context(slots)
        connection = await opening.enter_async_context(database.transaction())
        pages = report_rows(connection, scope)
        opening.push_async_callback(pages.aclose)
        first: _Page = await anext(pages, [])
        return CsvStream(_text(first, pages), opening.pop_all(), filename)


async def _text(first: _Page, pages: AsyncGenerator[_Page, None]) -> AsyncIterator[str]:
    yield header() + lines(first)
    async for page in pages:
        yield lines(page)


class CsvStream(StreamingResponse):
    """CSV as it comes; `held` is closed when it is sent or given up."""

    media_type = CSV

    def __init__(
        self, text: AsyncIterator[str], held: contextlib.AsyncExitStack, filename: str
    ) -> None:
        disposition = f'attachment; filename="{filename}"'
        super().__init__(text, headers={"Content-Disposition": disposition})
        self._held = held

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE):
                await send(message)

        async with self._held:
            try:
                await super().__call__(scope, receive, patiently)
            except TimeoutError:
                log.info("report given up: its reader takes nothing", patience=_PATIENCE)
