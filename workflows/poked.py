"""Workflows that do what the record says there is to do, and sleep until somebody pokes them."""

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

HEARTBEAT = timedelta(seconds=20)
"""Between signs of life of the activities that do it."""
UNTIL_DONE = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30)
)


class Poked:
    """It holds nothing: a poke says that there may be something to do, and the record says what."""

    def __init__(self) -> None:
        self._poked = False

    @workflow.signal
    def poke(self) -> None:
        self._poked = True

    async def _sleep(self, seconds: float, until: str) -> None:
        """Sleep for that long, or until the next poke; `until` tells a person what is waited for."""
        workflow.set_current_details(f"{until.capitalize()} in {seconds:.0f} s.")
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._poked,
                timeout=timedelta(seconds=seconds),
                timeout_summary=f"until {until}",
            )
