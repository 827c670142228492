"""What the API asks of Temporal, for tests in which no Temporal runs."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI

from api.app import create_app
from settings import Settings
from storage.session import Database


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


def api_without_temporal(settings: Settings, database: Database, **parts: Any) -> FastAPI:
    """The API with stand-ins of its own, but for the parts that are given."""
    stand_ins: dict[str, Any] = {
        "pokes": RecordedPokes(),
        "signals": RecordedSignals(),
        "temporal": TemporalAway(),
    }
    return create_app(settings, database, **stand_ins | parts)
