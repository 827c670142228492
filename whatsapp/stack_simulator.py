"""Calls to the simulator where it stands in for WhatsApp: in the embedded stack."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from domain.errors import Unavailable


@asynccontextmanager
async def simulator_at(url: str, *, then: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the stack's simulator.

    Raises `Unavailable` when it is away or does not answer within 30 seconds; `then` tells what has
    been done, and what to do. An answer that `raise_for_status` refuses is an `httpx.HTTPStatusError`.
    """
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        try:
            yield http
        except httpx.TransportError as error:
            raise Unavailable(f"The WhatsApp simulator does not answer. {then}") from error
