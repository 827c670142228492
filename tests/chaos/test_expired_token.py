"""An access token that expires in the middle of a sendout: everything waits, nothing fails."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from storage.channels import USUAL_RATE
from tests.chaos.conftest import Size
from tests.e2e.business import Business, Document, Sendout, counts
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import flow, template
from tests.e2e.patience import eventually, until

HELLO = flow(hello=template("Hello!"))
EXPIRED = 190

pytestmark = pytest.mark.parametrize("either_stack", ["give_up"], indirect=True)


@pytest.fixture
def channel(business: Business) -> Iterator[str]:
    """The path of the default channel, which is not left held."""
    [found] = [c for c in business.get("/channels")["data"] if c["default"]]
    path = f"/channels/{found['channelId']}"
    yield path
    business.post(f"{path}/release")


def renew_token(business: Business, channel: str, token: str) -> Document:
    """Give the channel a new access token; the channel after it."""
    answer = business.http.patch(channel, json={"accessToken": token})
    assert answer.is_success, answer.text
    entity: Document = answer.json()["entity"]
    return entity


def test_an_expired_token_holds_everything_until_there_is_a_new_one(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    size: Size,
    channel: str,
    set_rate: Callable[[str, int], None],
):
    """The channel is held with WhatsApp's reason, later sendouts too; the new token delivers all, once."""
    early, late = numbers.take(size.faulty), numbers.take(size.faulty // 2)
    sender = read(business, channel)["phoneNumber"]
    # The last third is refused from the start, so that some are left however late the rest is refused.
    customers.behave(early[2 * len(early) // 3 :], failWith=EXPIRED)
    set_rate(sender, len(early) // 12)
    first = business.start(name, HELLO, early)
    until(
        lambda seen: seen >= len(early) // 3 or read(business, channel)["state"] == "held",
        lambda: received(customers, early).total(),
    )
    customers.behave_by_default(failWith=EXPIRED)

    hold = until(lambda seen: seen["state"] == "held", lambda: read(business, channel))["hold"]
    assert (hold["code"], hold["by"]) == (EXPIRED, "whatsapp")
    assert hold["message"]
    set_rate(sender, USUAL_RATE)
    second = business.start(f"{name} meanwhile", HELLO, late)
    before = await_all_held(first, received(customers, early).total())
    await_all_held(second, 0)
    assert received(customers, early).total() == before
    assert 0 < before < len(early)
    for sendout, sent, left in ((first, before, len(early) - before), (second, 0, len(late))):
        shown = sendout.read()
        assert [(held["code"], held["message"]) for held in shown["heldBy"]] == [
            (EXPIRED, hold["message"])
        ]
        assert shown["entries"] == counts(completed=sent, running=left)
        assert (shown["messages"]["failed"], shown["messages"]["unknown"]) == (0, 0)

    customers.behave_by_default()
    customers.behave(early)
    assert renew_token(business, channel, "renewed-token")["state"] == "active"
    eventually(lambda: first.read()["entries"], counts(completed=len(early)))
    eventually(lambda: second.read()["entries"], counts(completed=len(late)))
    assert received(customers, [*early, *late]) == Counter([*early, *late])
    assert read(business, channel)["state"] == "active"


def test_what_the_old_token_is_told_late_does_not_hold_the_new_one(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str, channel: str
):
    """Calls that were on the wire when the token was renewed: refused, and made again with the new one."""
    clients = numbers.take(3)
    expired_meanwhile = {"code": EXPIRED, "times": 1}
    # With a stall of half a minute it is still shorter than a call may take.
    customers.behave(clients, latencyMs=15_000, failWith=expired_meanwhile)
    sendout = business.start(name, HELLO, clients)
    for client in clients:
        sendout.await_step(client, "send", state="sending")

    renew_token(business, channel, "renewed-before-the-answer")

    eventually(lambda: sendout.read()["entries"], counts(completed=len(clients)))
    assert read(business, channel)["state"] == "active"
    assert received(customers, clients) == Counter(clients)
    for client in clients:
        assert [send["tries"] for send in sendout.steps(client, "send")] == [2]


def read(business: Business, channel: str) -> Document:
    """The channel as it stands."""
    entity: Document = business.get(channel)["entity"]
    return entity


def received(customers: Customers, clients: list[str]) -> Counter[str]:
    """How many messages each of these customers got."""
    wanted = set(clients)
    return Counter(m["to"] for m in customers.messages() if m["to"] in wanted)


def await_all_held(sendout: Sendout, sent: int) -> int:
    """Wait until every send that is not made waits for the channel; how many were made."""

    def held() -> list[str]:
        entries = sendout.entries(state="running").values()
        timelines = (sendout.entry_by_id(entry["entryId"])["timeline"] for entry in entries)
        return [step["heldFor"] for steps in timelines for step in steps if step["type"] == "hold"]

    shown = until(
        lambda seen: seen["entries"]["queued"] == 0 and seen["entries"]["completed"] >= sent,
        sendout.read,
    )
    eventually(held, ["channel"] * shown["entries"]["running"])
    return int(sendout.read()["entries"]["completed"])
