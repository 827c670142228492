"""How many requests one business may make in any second (api.md section 2)."""

from uuid import UUID

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from domain.errors import Throttled


class Throttle:
    """Counts the requests of each business to one call over the last second, in this process.

    `instead` is what callers of that call may do about it, besides waiting.
    """

    def __init__(self, requests_per_second: int, *, instead: str = "") -> None:
        self._limit = requests_per_second
        self._instead = instead
        self._item = RateLimitItemPerSecond(requests_per_second)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def admit(self, business_id: UUID) -> None:
        """Count one request. Raises `Throttled` when it is one too many; it then counts nothing."""
        if not await self._window.hit(self._item, str(business_id)):
            raise Throttled(self._limit, instead=self._instead)
