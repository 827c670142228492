"""What the inner parts ask of the world: small interfaces, implemented at the edges."""

from typing import Protocol
from uuid import UUID


class Pokes(Protocol):
    """Wakes sendouts after a commit."""

    def poke(self, sendout_id: UUID) -> None:
        """Wake the sendout's workflow soon; never waits and never raises."""


class Signals(Protocol):
    """Hands what was recorded for runs (`run_signals`) over to them."""

    def hand_over(self) -> None:
        """Hand over what is recorded, soon; never waits and never raises."""


class TemporalHealth(Protocol):
    """Whether the durable side is there; answers quickly and never raises."""

    async def reachable(self) -> bool:
        """Whether Temporal's frontend answers."""
        ...

    async def worker_polling(self) -> bool:
        """Whether a worker polls the task queue of the workflows."""
        ...
