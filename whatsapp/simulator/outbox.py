"""Undelivered webhooks: the durable rows, and the order in which they may go out."""

import heapq
import itertools
import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from whatsapp.simulator.database import Database
from whatsapp.simulator.events import Event, lanes_of_message

# Statuses that are due together share a webhook, up to this many.
MOST_TOGETHER = 25

# How many due lanes of other channels are passed over while one webhook is filled.
_MOST_PASSED = 100

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 2.0


@dataclass
class Queued:
    """An event and its row; `due` may be brought forward."""

    number: int
    event: Event


@dataclass
class Lane:
    """Events that must arrive in order: the first `taken` of them are on their way."""

    key: str
    events: deque[Queued] = field(default_factory=deque)
    taken: int = 0
    attempts: int = 0
    retry_at: float = 0.0
    # A lane whose events were answered with a refusal travels alone until they are through, so
    # that one event the receiver cannot digest does not take others down with it.
    alone: bool = False

    @property
    def ready_at(self) -> float:
        return max(self.events[0].event.due, self.retry_at)


@dataclass(frozen=True)
class Batch:
    """Events of one channel to post together, and the lanes they were taken from."""

    phone_number_id: str
    lanes: list[Lane]
    events: list[Queued]


class Outbox:
    """Queued events, mirrored in the `webhooks` table until they were answered 200."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lanes: dict[str, Lane] = {}
        self._heap: list[tuple[float, int, Lane]] = []
        self._ties = itertools.count()
        rows = database.execute(
            "SELECT number, lane, phone_number_id, kind, due, document FROM webhooks"
            " ORDER BY number"
        )
        for number, lane, phone_number_id, kind, due, document in rows:
            event = Event(lane, phone_number_id, kind, due, json.loads(document))
            self._enqueue(Queued(number, event))

    def write(self, events: Iterable[Event]) -> list[Queued]:
        """Stores events inside the caller's transaction; `enqueue` them once it is committed."""
        return [Queued(self._insert(event), event) for event in events]

    def enqueue(self, queued: Iterable[Queued]) -> None:
        for item in queued:
            self._enqueue(item)

    def bring_forward(self, wamid: str, now: float) -> None:
        """Makes everything still queued about a message due now; the transaction is the caller's."""
        for key in lanes_of_message(wamid):
            lane = self._lanes.get(key)
            if lane is None:
                continue
            self._database.execute(
                "UPDATE webhooks SET due = ?1 WHERE lane = ?2 AND due > ?1", (now, key)
            )
            for queued in lane.events:
                if queued.event.due > now:
                    queued.event = queued.event._replace(due=now)
            self._schedule(lane)

    def next_due(self) -> float | None:
        """When something may next be ready; None when nothing is queued."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Batch | None:
        """The next events to post together, or None when nothing is ready."""
        lanes: list[Lane] = []
        events: list[Queued] = []
        passed: list[Lane] = []
        while self._heap and self._heap[0][0] <= now and len(events) < MOST_TOGETHER:
            lane = heapq.heappop(self._heap)[2]
            if lane.taken or not lane.events:
                continue
            if lane.ready_at > now:
                self._schedule(lane)
            elif events and (lane.alone or _channel(lane) != events[0].event.phone_number_id):
                passed.append(lane)
                if len(passed) == _MOST_PASSED:
                    break
            else:
                lanes.append(lane)
                events += self._take_from(lane, now, MOST_TOGETHER - len(events))
                if lane.alone:
                    break
        for lane in passed:
            self._schedule(lane)
        return Batch(events[0].event.phone_number_id, lanes, events) if events else None

    def delivered(self, batch: Batch) -> None:
        """Forgets what was answered 200."""
        with self._database.transaction():
            self._database.connection.executemany(
                "DELETE FROM webhooks WHERE number = ?", [(item.number,) for item in batch.events]
            )
        for lane in self._present(batch):
            for _ in range(lane.taken):
                lane.events.popleft()
            lane.taken, lane.attempts, lane.retry_at, lane.alone = 0, 0, 0.0, False
            if lane.events:
                self._schedule(lane)
            else:
                del self._lanes[lane.key]

    def failed(self, batch: Batch, now: float, *, refused: bool) -> None:
        """Keeps the events for another try; `refused` unless nobody was there to take them."""
        for lane in self._present(batch):
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 1.5 ** min(lane.attempts, 10))
            lane.taken, lane.attempts, lane.retry_at = 0, lane.attempts + 1, now + pause
            lane.alone = lane.alone or refused
            self._schedule(lane)

    def forget(self) -> None:
        """Drops what is held in memory, after the database forgot it."""
        self._lanes.clear()
        self._heap.clear()

    def __len__(self) -> int:
        return sum(len(lane.events) for lane in self._lanes.values())

    def _insert(self, event: Event) -> int:
        document = json.dumps(event.document, separators=(",", ":"))
        cursor = self._database.execute(
            "INSERT INTO webhooks (lane, phone_number_id, kind, due, document)"
            " VALUES (?, ?, ?, ?, ?)",
            (event.lane, event.phone_number_id, event.kind, event.due, document),
        )
        return int(cursor.lastrowid or 0)

    def _enqueue(self, queued: Queued) -> None:
        lane = self._lanes.setdefault(queued.event.lane, Lane(queued.event.lane))
        lane.events.append(queued)
        if len(lane.events) == 1:
            self._schedule(lane)

    def _schedule(self, lane: Lane) -> None:
        # A lane may stand in the heap more than once; what is no longer ready is passed over.
        heapq.heappush(self._heap, (lane.ready_at, next(self._ties), lane))

    def _present(self, batch: Batch) -> Iterable[Lane]:
        """The lanes of a batch that no reset has forgotten meanwhile."""
        return [lane for lane in batch.lanes if self._lanes.get(lane.key) is lane]

    @staticmethod
    def _take_from(lane: Lane, now: float, most: int) -> list[Queued]:
        channel = _channel(lane)
        taken = list(
            itertools.takewhile(
                lambda item: item.event.due <= now and item.event.phone_number_id == channel,
                itertools.islice(lane.events, 1 if lane.alone else most),
            )
        )
        lane.taken = len(taken)
        return taken


def _channel(lane: Lane) -> str:
    return lane.events[0].event.phone_number_id
