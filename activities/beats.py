"""Signs of life of an activity that takes long, so that a worker's death is noticed soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity

BEATS_EVERY = timedelta(seconds=3)
"""At most a third of every heartbeat timeout, so that one may get lost."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Tell Temporal that this worker is alive, for as long as the block lasts."""
    beats = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beats.cancel()


async def _beat() -> None:
    while True:
        await asyncio.sleep(BEATS_EVERY.total_seconds())
        activity.heartbeat()
