"""The rates WhatsApp allows a number and a pair of numbers (WhatsApp Cloud API, throughput)."""

import time
from collections.abc import Callable, Hashable

# One message in six seconds to one customer, of which 45 may be used up at once.
PAIR_BURST = 45
PAIR_PER_SECOND = 1 / 6


class TokenBuckets:
    """Buckets by key that fill at a rate (per second) up to a capacity."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def take(self, key: Hashable, *, rate: float, capacity: float) -> bool:
        """Takes one token; False, and nothing is taken, when there is none."""
        now = self._clock()
        level, at = self._levels.get(key, (capacity, now))
        level = min(capacity, level + (now - at) * rate)
        if level < 1:
            self._levels[key] = (level, now)
            return False
        self._levels[key] = (level - 1, now)
        return True

    def clear(self) -> None:
        self._levels.clear()
