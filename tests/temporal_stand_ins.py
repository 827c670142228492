"""What the API asks of Temporal, for tests in which no Temporal runs."""

from uuid import UUID


class RecordedPokes:
    """Keeps which sendouts were poked."""

    def __init__(self) -> None:
        self.sendouts: list[UUID] = []

    def poke(self, sendout_id: UUID) -> None:
        self.sendouts.append(sendout_id)


class RecordedSignals:
    """Counts how often signals were to be handed over."""

    def __init__(self) -> None:
        self.times = 0

    def hand_over(self) -> None:
        self.times += 1


class TemporalAway:
    """Temporal that does not answer."""

    async def reachable(self) -> bool:
        return False

    async def worker_polling(self) -> bool:
        return False


class RecordedClosing:
    """Keeps whose runs were to be closed."""

    def __init__(self) -> None:
        self.sendouts: list[UUID] = []
        self.entries: list[UUID] = []

    def close_sendout(self, sendout_id: UUID) -> None:
        self.sendouts.append(sendout_id)

    def close_entry(self, entry_id: UUID) -> None:
        self.entries.append(entry_id)
