"""The same on flows in which every rule has its place: chance alone seldom builds them."""

import json
import random
from collections.abc import Callable
from functools import partial

import pytest

from domain.shape import read_flow
from tests.domain.conversations import GOLDEN, ROOT
from tests.properties.test_any_order import OFTEN, AnyOrder

FLOWS = {
    file.stem: read_flow(json.loads(file.read_text(encoding="utf-8")))
    for folder in (GOLDEN / "flows", ROOT / "examples" / "flows")
    for file in sorted(folder.glob("*.json"))
    if file.stem != "expiring"
}
SEEDS = 150
STEPS = 80
_SELDOM, _HARDLY_EVER = 0.3, 0.02


@pytest.mark.parametrize("name", FLOWS)
def test_the_record_and_the_run_agree_whatever_the_order(name: str) -> None:
    for seed in range(SEEDS):
        try:
            live(name, seed)
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise


def live(name: str, seed: int) -> None:
    """One entry's life, drawn with the seed."""
    chance = random.Random(f"{name} {seed}")
    life = AnyOrder()
    life.begin(
        flow=FLOWS[name], value="1", max_sends=chance.choice([3, 100]), skips=chance.random() < 0.1
    )
    for _ in range(STEPS):
        chance.choice(_possible(life, chance))()
    life.teardown()


def _possible(life: AnyOrder, chance: random.Random) -> list[Callable[[], object]]:
    """What may happen next, the likelier the more often."""
    server, record = life.server, life.record
    at, answer, again = chance.randrange(100), chance.choice(OFTEN), chance.random() < _SELDOM
    status = chance.choice(["delivered", "delivered", "read", "sent", "failed"])
    lever = chance.choice(["pause", "resume", "release_channel", "sweep"])
    can: list[Callable[[], object]] = [partial(life.go_on, at, answer)] * 8
    can += [partial(life.a_lever_is_pulled, lever)] * 2
    can += [partial(life.time_passes, 1)]
    if server.run is not None:
        can += [life.the_run_hears_what_came] * 3
    if record.outbox:
        can += [partial(life.a_fact_is_handed_over, noted=not again)] * 4
    if server.ready():
        can += [partial(life.a_job_goes_on, at, answer)] * 6
        can += [partial(life.a_worker_dies_at_a_job, at)]
    if server.is_quiet():
        can += [life.the_run_continues_as_new]
    if server.accepted:
        can += [partial(life.a_status_comes, at, status)] * 3
        can += [partial(life.the_customer_writes, again)]
    if server.tappable():
        can += [partial(life.a_button_is_tapped, at, again)] * 2
    if server.run is not None and server.run.timers and chance.random() < _SELDOM:
        can += [server.fire] * 3
    if record.entry_state == "failed":
        can += [life.the_entry_is_retried] * 3
    if not record.is_cancelled and chance.random() < _HARDLY_EVER:
        can += [partial(life.the_entry_is_cancelled, whole=again, sure=9)] * 8
    return can
