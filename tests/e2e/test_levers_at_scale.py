"""The levers on sendouts of ten thousand entries while their runs go on."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from embedded.stack import Stack
from storage.session import Database
from tests.e2e.business import Business, Sendout, counts
from tests.e2e.customers import Customers, PhoneNumbers, Reactions
from tests.e2e.flows import invitation
from tests.e2e.patience import eventually, until, until_seen
from tests.e2e.spring_sale import FLOW, Batch

MANY = 10_000
LIVE = 60
"""How many of them are due now; the others cost nothing but rows."""


class ManyNumbers:
    """More numbers than the others need, in a range of their own."""

    def __init__(self) -> None:
        self._next = iter(f"+1613{n:07}" for n in range(10_000_000))

    def take(self, number: int) -> list[str]:
        return [next(self._next) for _ in range(number)]


@pytest.fixture(scope="module")
def many_numbers() -> ManyNumbers:
    return ManyNumbers()


async def test_a_pause_in_the_middle_throws_nobody_out_of_the_flow(
    stack: Stack,
    business: Business,
    customers: Customers,
    many_numbers: ManyNumbers,
    name: str,
):
    """Delays that end during the pause are held; after it everybody gets exactly what the flow says."""
    live, later = Batch(many_numbers.take(LIVE)), many_numbers.take(MANY - LIVE)
    tomorrow = {"scheduledAt": (datetime.now(UTC) + timedelta(days=1)).isoformat()}
    business.publish(name, FLOW)
    reactions = Reactions(customers, live.clients, live.button_of)

    scheduled = [entry | tomorrow for entry in Batch(later).entries(name)]
    sendout = business.send_entries([*live.entries(name), *scheduled])
    until(lambda seen: seen >= LIVE / 2, reactions.look, every=0.1)
    assert sendout.order("pause")["entries"]["accepted"] == MANY
    async with Database(stack.database_url) as database:

        async def look() -> int:
            reactions.look()
            return await running_on(database, sendout)

        await until_seen(lambda running: running == 0, look, every=0.2)
    sent = reactions.look()
    assert sum(map(len, reactions.got.values())) < sum(map(len, live.expected().values()))
    for _ in range(2):
        paused = sendout.order("pause")
        assert paused["state"] == "paused"
        assert paused["entries"]["scheduled"] == MANY - LIVE
        assert paused["messages"]["sent"] == sent == reactions.look()

    for _ in range(2):
        assert sendout.order("resume")["entries"]["accepted"] == MANY
    until(lambda _: sendout.read()["entries"]["completed"] == LIVE, reactions.look, every=0.4)

    assert customers.got_by(live.clients) == live.expected()
    assert sendout.read()["entries"] == counts(completed=LIVE, scheduled=MANY - LIVE)
    [one] = sendout.entries(client=later[0]).values()
    for _ in range(2):
        cancelled = business.post(f"/entries/{one['entryId']}/cancel")["entity"]
        assert cancelled["state"] == "cancelled"
    assert sendout.read()["entries"] == counts(
        completed=LIVE, scheduled=MANY - LIVE - 1, cancelled=1
    )
    for _ in range(2):
        ended = sendout.order("cancel")
        assert ended["entries"] == counts(completed=LIVE, cancelled=MANY - LIVE)
        assert (ended["state"], ended["progress"]) == ("cancelled", "idle")


def test_a_cancel_while_thousands_are_being_started_stops_them_all(
    business: Business,
    customers: Customers,
    many_numbers: ManyNumbers,
    numbers: PhoneNumbers,
    name: str,
):
    """Queued, started or on the wire: nobody gets anything that was not on its way."""
    clients = many_numbers.take(MANY)
    first = next(numbers)
    sendout = business.start(name, invitation(1), [first])
    sendout.await_idle()
    sendout.order("pause")
    assert business.send(name, clients).id == sendout.id
    assert sendout.read()["entries"] == counts(completed=1, queued=MANY)

    sendout.order("resume")
    until(bool, lambda: any(customers.got_by(clients).values()), every=0.1)
    for _ in range(2):
        ended = sendout.order("cancel")
        assert ended["entries"] == counts(
            completed=ended["entries"]["completed"],
            cancelled=MANY + 1 - ended["entries"]["completed"],
        )
        assert (ended["state"], ended["current"], ended["progress"]) == (
            "cancelled",
            False,
            "idle",
        )

    # The campaign's next sendout goes on; it is slower than all that was on the wire.
    witnesses = numbers.take(10)
    following = business.send(name, witnesses)
    assert following.id != sendout.id
    assert following.await_idle()["entries"] == counts(completed=10)
    assert customers.got_by(witnesses) == {n: ["Hello!", "Still there?"] for n in witnesses}

    def taken() -> int:
        return sum(map(len, customers.got_by(clients).values()))

    # Of what was on the wire some may be recorded only now; `first` has got two.
    eventually(lambda: sendout.read()["messages"]["sent"] - taken(), 2)
    got = [texts for texts in customers.got_by(clients).values() if texts]
    assert len(got) <= ended["messages"]["sent"] + 50
    assert sendout.read()["entries"] == ended["entries"]


async def running_on(database: Database, sendout: Sendout) -> int:
    """How many entries are running that do not wait for the end of a pause."""
    query = text("""
        SELECT count(*) FROM entries e WHERE e.sendout_id = :sendout AND e.state = 'running'
            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.entry_id = e.entry_id
                AND m.state = 'held' AND m.held_for = 'sendout')
    """)
    async with database.transaction() as connection:
        return int((await connection.execute(query, {"sendout": sendout.id})).scalar_one())
