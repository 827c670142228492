"""Repairing what a crash may have left between two commits."""

from typing import Protocol

from temporalio import activity

from domain.requests import Swept


class Repairs(Protocol):
    """What can be left half done; every method is set-based and harmless when nothing is."""

    async def sweep(self) -> Swept:
        """Repair everything that is due for it, and say how much there was."""


class Sweeping:
    """Run by a schedule; nothing waits for it."""

    def __init__(self, repairs: Repairs) -> None:
        self._repairs = repairs

    @activity.defn
    async def sweep(self) -> Swept:
        return await self._repairs.sweep()
