"""Random scripts: what a customer, WhatsApp and an operator do to one entry, at quiet moments.

`Rehearsal` plays a script on the models of `record` and `server`: one deed at a time, everything
that follows from it before the next. What is so after each deed must be so in the real system, too.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain import run
from domain.delivery import Accepted, Answer, Refused, Unclear
from domain.flow import Flow
from domain.run import Limits, Phase
from tests.domain.random_flows import VARIABLE
from tests.properties.record import OPEN, Record
from tests.properties.rows import Key
from tests.properties.server import Job, Server
from tests.workflows.told import NOTHING_BY_ITSELF

MARGIN = timedelta(minutes=20)
"""How far beyond a timer time is skipped, so that the real time that passes meanwhile does not matter.

Shorter than any difference between the timers of a random flow."""
_DEED = timedelta(seconds=1)
_TAKEN: tuple[Answer, bool] = (Accepted("wamid"), True)


@dataclass(frozen=True)
class Weather:
    """How WhatsApp treats what is sent during one deed."""

    knobs: dict[str, object]
    answer: Answer = _TAKEN[0]
    taken: bool = True
    statuses: tuple[str, ...] = ("sent", "delivered")
    fails_later: bool = False
    """Its messages are reported as failed by hand, after the run has heard that they are accepted."""


WEATHERS = {
    "fair": Weather({}),
    "phone off": Weather({"deliver": False}, statuses=("sent",)),
    "refused": Weather(
        {"failWith": {"code": 131026, "via": "answer"}}, Refused(131026, "Undeliverable"), False
    ),
    "never taken": Weather({"http500BeforeAcceptRate": 1}, Unclear("500"), False),
    "answer and statuses lost": Weather(
        {"dropAfterAcceptRate": 1, **NOTHING_BY_ITSELF}, Unclear("dropped"), statuses=()
    ),
    "answer lost": Weather({"dropAfterAcceptRate": 1}, Unclear("dropped")),
    "fails later": Weather(NOTHING_BY_ITSELF, statuses=("failed",), fails_later=True),
}
_CHANCES = ["fair"] * 9 + ["phone off", "answer lost", "answer and statuses lost"] + list(WEATHERS)


@dataclass(frozen=True)
class Deed:
    """What is done, to which message, for how long, in which weather."""

    name: str
    weather: Weather
    key: Key | None = None
    button: str = ""
    skip: timedelta = timedelta()


class Rehearsal:
    """The script of one seed, and what it leads to."""

    def __init__(self, flow: Flow, entry: UUID, seed: int) -> None:
        self._chance = random.Random(seed)
        self.record = Record(flow, entry)
        self.server = Server(self.record, Limits(), {VARIABLE: "1"})
        self._told: set[Key] = set()

    def deeds(self, most: int) -> Iterator[Deed]:
        """Up to so many deeds; each has been played when the next is asked for."""
        for _ in range(most):
            deed = self._choose()
            if deed is None:
                return
            self.record.now += _DEED
            self._do(deed)
            yield deed

    def starts(self) -> Weather:
        """The entry is sent; how WhatsApp treats its first messages."""
        weather = self._weather()
        self.server.start_entry()
        self._settle(weather)
        return weather

    def messages(self) -> list[tuple[int, str, int, str]]:
        """The rows there should be, as attempt, node, visit, state."""
        return sorted((*key, row.state) for key, row in self.record.rows.items())

    # --- choosing ------------------------------------------------------------------------------

    def _weather(self) -> Weather:
        return WEATHERS[self._chance.choice(_CHANCES)]

    def _choose(self) -> Deed | None:
        record, can = self.record, []
        tappable = [
            (key, button) for key, button in self.server.tappable() if key[0] == record.attempt
        ]
        if record.sendout == "paused":
            can += ["resume"] * 4
        elif record.entry_state in OPEN:
            can += ["pause"]
        if tappable:
            can += ["tap"] * 4
        if self.server.accepted:
            can += ["write"]
        if self._next_skip() is not None:
            can += ["skip"] * 4
        first = record.first()
        if record.entry_state == "failed" and first is not None and first.state == "failed":
            can += ["retry"] * 4
        if record.entry_state in OPEN and self._chance.random() < 0.2:
            can += ["cancel"] * 4
        if not can or record.is_cancelled:
            return None
        name = self._chance.choice(can)
        key, button = self._chance.choice(tappable) if name == "tap" else (None, "")
        skip = self._next_skip() if name == "skip" else None
        return Deed(name, self._weather(), key, button, skip or timedelta())

    def _next_skip(self) -> timedelta | None:
        """To beyond the next timers, if none is near that moment.

        Not in a run that was taken up again: the skipped time was that of the run before it.
        """
        if self.server.run is None or not self.server.run.timers or self.server.reopened:
            return None
        dues = sorted(timer.until for timer in self.server.run.timers.values())
        until = dues[0] + MARGIN
        if any(until <= due < until + MARGIN for due in dues):
            return None
        return until - self.record.now

    # --- playing -------------------------------------------------------------------------------

    def _do(self, deed: Deed) -> None:
        record = self.record
        match deed.name:
            case "tap":
                assert deed.key is not None
                # The simulator delivers a message before it is tapped.
                self._tell(deed.key, ("sent", "delivered"))
                record.tapped(deed.key, deed.button, f"tap {record.now}")
            case "write":
                record.wrote("words", f"text {record.now}")
            case "pause":
                record.pause()
            case "resume":
                record.resume()
            case "retry":
                assert record.retry()
                self.server.start_entry()
            case "cancel":
                record.cancel(whole_sendout=True)
                self.server.close_run()
            case "skip":
                self._skip(deed)
                return
        self._settle(deed.weather)

    def _skip(self, deed: Deed) -> None:
        until = record_until = self.record.now + deed.skip
        while self.server.run is not None and self.server.run.timers:
            if min(t.until for t in self.server.run.timers.values()) > record_until:
                break
            self.server.fire()
            self._settle(deed.weather)
        self.record.now = max(self.record.now, until)

    def _settle(self, weather: Weather) -> None:
        """Everything that follows at once, statuses and the end of an unknown outcome included."""
        while True:
            server, walking = self.server, self.server.run
            if (
                walking is not None and (walking.inbox or walking.opens or walking.state.closed)
            ) or (server.overtaken_by is not None and not server.jobs):
                server.wake()
            elif server.jobs:
                self._go_on(server.jobs[0], weather)
            elif self.record.outbox:
                server.hand_over()
            elif untold := [key for key in server.accepted if key not in self._told]:
                self._tell(untold[0], weather.statuses)
            elif walking is not None and self._is_unsettled():
                # In real time: a second.
                timer = next(p.timer for p in walking.state.paths if p.phase is Phase.UNSETTLED)
                row_time, self.record.now = self.record.now, walking.timers[timer or 0].until
                walking.inbox.append(run.TimerFired(walking.timers.pop(timer or 0).timer))
                server.wake()
                self._go_on(server.jobs[0], weather)
                self.record.now = row_time
            else:
                return

    def _is_unsettled(self) -> bool:
        walking = self.server.run
        paths = walking.state.paths if walking else []
        return any(path.phase is Phase.UNSETTLED for path in paths)

    def _tell(self, key: Key, statuses: tuple[str, ...]) -> None:
        self._told.add(key)
        for name in statuses:
            self.record.take_status(key, name)  # type: ignore[arg-type]

    def _go_on(self, job: Job, weather: Weather) -> None:
        match job.step, job.effect:
            case "queued", run.Send():
                self.server.claim(job)
            case "queued", _:
                self.server.look(job)
            case "posting", _:
                self.server.post(job, weather.answer, taken=weather.taken)
            case "posted", _:
                self.server.note(job)
            case _:
                self.server.answer(job)
