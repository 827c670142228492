"""Storms of refusals that are about the moment: repeated with the pauses of their class, until taken.

The classes and their pauses are the table of `domain.error_codes` (reference/whatsapp.md section 4).
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, repeat

import pytest

from embedded.stack import Stack
from tests.chaos import judge, proof
from tests.chaos.conftest import Size
from tests.chaos.crowd import Crowd
from tests.chaos.journey import FLOW, KINDS, Person, by_knobs
from tests.e2e.business import Business, Document
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.patience import until

_GROWING, _PAIR = (1, 2, 4), (1, 4, 16)
STORMS = {130429: _GROWING, 131016: _GROWING, 131056: _PAIR}
"""The codes, and the seconds before the second, third and fourth call."""
_JITTER = 1.2
_QUEUED = 60.0
"""Seconds that a call may come after its time on a machine that is busy; no promise about any."""


def storms(each: int) -> Iterator[Person]:
    """Customers the calls to whom are refused once, twice and three times, with each code."""
    for code in STORMS:
        for times in (1, 2, 3):
            knobs = {"failWith": {"code": code, "via": "answer", "times": times}}
            yield from repeat(Person({"welcome": ("no",)}, knobs), each)


def test_storms_lose_and_double_nothing(
    stack: Stack,
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    size: Size,
):
    """Refused calls and server errors before the message was taken, among customers in calm weather.

    The server errors last until each message they are about is in doubt, and nothing else is missing.
    """
    no_taker = {"http500BeforeAcceptRate": 1.0}
    weather = [
        *storms(max(1, size.stormed // 20)),
        *repeat(Person({"welcome": ("no",)}, no_taker), size.stormed // 4),
    ]
    calm = chain.from_iterable(repeat(KINDS))
    people = {number: next(calm) for number in numbers.take(size.stormed)}
    people |= zip(numbers, weather, strict=False)
    crowd = Crowd(customers, people)
    for clients, knobs in by_knobs(people):
        customers.behave(clients, **knobs)

    sendout = business.start(name, FLOW, people)
    not_taken = {number for number, person in people.items() if person.knobs is no_taker}
    until(lambda _: crowd.missing().keys() == not_taken, crowd.look)
    until(lambda seen: seen["messages"]["unknown"] == len(not_taken), sendout.read)
    customers.behave(not_taken)
    resends = stack.settings.unknown_outcome == "resend"
    proof.await_end(sendout, crowd, resends=resends)

    assert proof.assert_exact(sendout, crowd) == (0 if resends else len(not_taken))
    entries = judge.read_entries(sendout)
    assert [c for n in people for c in wrong_pauses(people[n], n, entries[n], crowd)] == []


def wrong_pauses(person: Person, number: str, entry: Document, crowd: Crowd) -> Iterator[str]:
    """What is wrong with the calls for a customer's first message: their number, or their times."""
    storm = person.knobs.get("failWith")
    if storm is None or not person.is_reachable:
        return
    [send] = judge.sends_of(entry)
    if send["tries"] != storm["times"] + 1:
        yield f"{number}: {send['tries']} calls in {storm}"
    [accepted] = [m["acceptedAt"] for m in crowd.ledger if m["to"] == number]
    took = (at(accepted) - at(send["at"])).total_seconds()
    pauses = sum(STORMS[storm["code"]][: storm["times"]])
    if not pauses <= took <= pauses * _JITTER + _QUEUED:
        yield f"{number}: {took:.1f} s in {storm}, and should be {pauses}"


@pytest.mark.parametrize("either_stack", ["give_up"], indirect=True)
def test_a_storm_on_one_recipient_slows_nobody_else(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str, size: Size
):
    """Everybody else walks their whole flow while it lasts, and it costs no more calls than it may."""
    stormed, *others = numbers.take(1 + size.stormed // 2)
    storm = {"failWith": {"code": 131056, "via": "answer"}}
    people = dict(zip(others, chain.from_iterable(repeat(KINDS)), strict=False))
    crowd = Crowd(customers, people | {stormed: Person(knobs=storm)})
    for clients, knobs in by_knobs(crowd.people):
        customers.behave(clients, **knobs)

    sendout = business.start(name, FLOW, crowd.people)
    until(lambda _: list(crowd.missing()) == [stormed], crowd.look)

    [send] = judge.sends_of(sendout.entry(stormed))
    assert send["state"] in {"retrying", "sending"}
    assert 1 <= send["tries"] <= 1 + fitting(_since(send), (*_PAIR, 64, 64, 64))
    customers.behave([stormed])
    proof.await_end(sendout, crowd)
    assert proof.assert_exact(sendout, crowd) == 0


def _since(send: Document) -> float:
    started = at(send["at"])
    return (datetime.now(started.tzinfo) - started).total_seconds()


def fitting(seconds: float, pauses: tuple[int, ...]) -> int:
    """How many of these pauses, one after the other, are over after so many seconds."""
    return next((n for n in range(len(pauses)) if sum(pauses[: n + 1]) > seconds), len(pauses))


def at(time: str) -> datetime:
    """A time of the API or of the ledger."""
    return datetime.fromisoformat(time)
