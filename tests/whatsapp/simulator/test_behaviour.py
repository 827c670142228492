import time
from typing import Any

import httpx
import pytest

from tests.whatsapp.simulator.harness import (
    CUSTOMER,
    MESSAGES,
    behave,
    ledger,
    reply,
    sale,
    send,
    text,
)

OTHER = "+16045559999"

# The table of api.md section 8, and what the simulator adds to it.
DEFAULTS: dict[str, Any] = {
    "deliver": True,
    "read": False,
    "delayMs": 200,
    "duplicateStatuses": False,
    "shuffleStatuses": False,
    "latencyMs": 0,
    "failWith": None,
    "failRate": 0,
    "dropAfterAcceptRate": 0,
    "http500AfterAcceptRate": 0,
    "http500BeforeAcceptRate": 0,
    "throughputPerSecond": None,
    "rewriteWaId": False,
    "hidePhone": False,
    "seed": 0,
    "recipients": {},
    "pairRateLimit": False,
    "closedWindowVia": "status",
}


async def outcome(graph: httpx.AsyncClient, to: str) -> str:
    """How one send looked to the business: its HTTP status, or `dropped`."""
    try:
        return str((await graph.post(MESSAGES, json=sale(to=to))).status_code)
    except httpx.RemoteProtocolError:
        return "dropped"


async def test_putting_behaviour_replaces_it_and_what_is_left_out_is_default(graph):
    await graph.put("/_sim/behaviour", json={"read": True, "seed": "x"})
    await graph.put("/_sim/behaviour", json={"deliver": False})
    assert (await graph.get("/_sim/behaviour")).json() == {**DEFAULTS, "deliver": False}


async def test_behaviour_reads_back_as_it_was_put(graph):
    given = {
        **DEFAULTS,
        "failWith": {"code": 131056, "via": "answer", "times": 2},
        "recipients": {CUSTOMER: {"failWith": 131026}, OTHER: {"deliver": False}},
    }
    assert (await graph.put("/_sim/behaviour", json=given)).json() == given
    assert (await graph.get("/_sim/behaviour")).json() == given


@pytest.mark.parametrize(
    "wrong",
    [{"delay": 5}, {"failRate": 1.5}, {"deliver": "yes"}, {"recipients": {"+1": {"x": 1}}}],
)
async def test_an_unusable_knob_is_400_and_changes_nothing(graph, wrong):
    before = (await graph.get("/_sim/behaviour")).json()
    assert (await graph.put("/_sim/behaviour", json=wrong)).status_code == 400
    assert (await graph.get("/_sim/behaviour")).json() == before


async def test_a_recipients_knobs_are_laid_over_the_defaults(graph, receiver):
    await behave(graph, read=True, recipients={"+1 604 555 9999": {"deliver": False}})
    await receiver.statuses_reach(await send(graph, sale()), "sent", "delivered", "read")
    # Read without delivered is legal.
    await receiver.statuses_reach(await send(graph, sale(to=OTHER)), "sent", "read")


async def test_a_recipients_null_lifts_the_default_failure(graph, receiver):
    await behave(graph, failWith=131026, recipients={OTHER: {"failWith": None}})
    await receiver.statuses_reach(await send(graph, sale()), "failed")
    await receiver.statuses_reach(await send(graph, sale(to=OTHER)), "sent", "delivered")


async def test_undelivered_means_sent_only(graph, receiver):
    await behave(graph, deliver=False)
    first = await send(graph, sale())
    await receiver.statuses_reach(first, "sent")
    await behave(graph)
    await receiver.statuses_reach(await send(graph, sale()), "sent", "delivered")
    assert receiver.names(first) == ["sent"]


async def test_duplicated_statuses_come_twice(graph, receiver):
    await behave(graph, duplicateStatuses=True)
    wamid = await send(graph, sale())
    await receiver.statuses_reach(wamid, "sent", "sent", "delivered", "delivered")


async def test_shuffled_statuses_come_out_of_order(graph, receiver):
    await behave(graph, shuffleStatuses=True, read=True, delayMs=30)
    for number in range(3):
        wamid = await send(graph, sale(to=f"+1604556{number:04d}"))
        await receiver.until(lambda wamid=wamid: len(receiver.names(wamid)) == 3)
        assert sorted(receiver.names(wamid)) == ["delivered", "read", "sent"]
        assert receiver.names(wamid) != ["sent", "delivered", "read"]


@pytest.mark.parametrize(
    ("code", "http"),
    [(131056, 429), (190, 401), (131031, 403), (131000, 500), (131016, 503), (131021, 400)],
)
async def test_a_code_that_is_answered_refuses_the_message(graph, code, http):
    await behave(graph, failWith=code)
    answer = await graph.post(MESSAGES, json=sale())
    assert (answer.status_code, answer.json()["error"]["code"]) == (http, code)
    assert await ledger(graph) == []


@pytest.mark.parametrize("code", [130472, 131026, 131042, 131047, 131049, 131050, 131053, 132015])
async def test_a_code_that_comes_by_webhook_fails_an_accepted_message(graph, receiver, code):
    await behave(graph, failWith=code)
    (status,) = await receiver.statuses_reach(await send(graph, sale()), "failed")
    assert status["errors"][0]["code"] == code


async def test_via_decides_how_a_code_comes(graph, receiver):
    await behave(graph, failWith={"code": 131026, "via": "answer"})
    answer = await graph.post(MESSAGES, json=sale())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131026)
    await behave(graph, failWith={"code": 131056, "via": "status"})
    (status,) = await receiver.statuses_reach(await send(graph, sale()), "failed")
    assert status["errors"][0]["code"] == 131056


async def test_times_limits_how_often_it_fails(graph):
    await behave(graph, failWith={"code": 131056, "times": 2})
    assert [await outcome(graph, CUSTOMER) for _ in range(4)] == ["429", "429", "200", "200"]


async def test_times_of_a_recipient_are_counted_for_that_recipient(graph):
    failing = {"failWith": {"code": 131056, "times": 1}}
    await behave(graph, recipients={CUSTOMER: failing, OTHER: failing})
    assert [await outcome(graph, CUSTOMER) for _ in range(2)] == ["429", "200"]
    assert [await outcome(graph, OTHER) for _ in range(2)] == ["429", "200"]


async def test_a_fail_rate_alone_makes_customers_unreachable(graph, receiver):
    await behave(graph, failRate=1)
    (status,) = await receiver.statuses_reach(await send(graph, sale()), "failed")
    assert status["errors"][0]["code"] == 131026


RATES = {
    "failRate": {"failRate": 0.5, "failWith": 131056},
    "http500BeforeAcceptRate": {"http500BeforeAcceptRate": 0.5},
    "http500AfterAcceptRate": {"http500AfterAcceptRate": 0.5},
    "dropAfterAcceptRate": {"dropAfterAcceptRate": 0.5},
}


@pytest.mark.parametrize("knobs", RATES.values(), ids=list(RATES))
async def test_a_rate_strikes_the_same_requests_for_the_same_seed(graph, knobs):
    async def fates(seed: int) -> list[str]:
        await graph.post("/_sim/reset")
        await graph.put("/_sim/templates", json=[sale_template])
        await behave(graph, **knobs, seed=seed)
        return [await outcome(graph, f"+1604555{i:04d}") for i in range(16)]

    sale_template = (await graph.get("/_sim/templates")).json()["data"][0]
    first = await fates(1)
    assert len(set(first)) == 2
    assert 2 <= first.count("200") <= 14
    assert await fates(1) == first
    assert await fates(2) != first


async def test_a_retry_draws_its_own_lot(graph):
    await behave(graph, failWith=131056, failRate=0.5)
    assert len({await outcome(graph, CUSTOMER) for _ in range(16)}) == 2


async def test_a_dropped_connection_hides_a_message_that_was_taken(graph, receiver):
    await behave(graph, dropAfterAcceptRate=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await graph.post(MESSAGES, json=sale("lost"))
    (record,) = await ledger(graph)
    assert record["opaque"] == "lost"
    await receiver.statuses_reach(record["id"], "sent", "delivered")


async def test_a_500_after_acceptance_hides_a_message_that_was_taken(graph, receiver):
    await behave(graph, http500AfterAcceptRate=1)
    assert (await graph.post(MESSAGES, json=sale())).status_code == 500
    (record,) = await ledger(graph)
    await receiver.statuses_reach(record["id"], "sent", "delivered")


async def test_a_500_before_acceptance_looks_the_same_but_nothing_was_taken(graph):
    await behave(graph, http500AfterAcceptRate=1)
    after = (await graph.post(MESSAGES, json=sale())).json()["error"]
    await behave(graph, http500BeforeAcceptRate=1)
    answer = await graph.post(MESSAGES, json=sale())
    before = answer.json()["error"]
    assert answer.status_code == 500
    assert {**before, "fbtrace_id": ""} == {**after, "fbtrace_id": ""}
    assert len(await ledger(graph)) == 1


async def test_latency_delays_the_answer(graph):
    await behave(graph, latencyMs=150)
    start = time.monotonic()
    await send(graph, sale())
    assert time.monotonic() - start > 0.14


async def test_a_caller_who_gives_up_may_find_the_message_taken(graph, receiver):
    await behave(graph, latencyMs=2000)
    with pytest.raises(httpx.ReadTimeout):
        await graph.post(MESSAGES, json=sale("slow"), timeout=httpx.Timeout(60, read=0.2))
    await receiver.until(lambda: bool(receiver.items("statuses")))
    assert [line["opaque"] for line in await ledger(graph)] == ["slow"]


async def test_above_the_throughput_of_the_number_it_is_130429(graph):
    # So slow that no machine takes long enough for a second message.
    await behave(graph, throughputPerSecond=0.001)
    answers = [await graph.post(MESSAGES, json=sale(to=f"+1604555{i:04d}")) for i in range(4)]
    codes = [answer.json().get("error", {}).get("code") for answer in answers]
    assert codes == [None, 130429, 130429, 130429]
    assert len(await ledger(graph)) == 1


async def test_a_numbers_throughput_may_be_used_up_at_once(graph):
    await behave(graph, throughputPerSecond=3)
    assert [await outcome(graph, f"+1604555{i:04d}") for i in range(3)] == ["200"] * 3


async def test_above_the_pair_rate_it_is_131056_for_that_customer_only(
    graph, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("whatsapp.simulator.acceptance.PAIR_PER_SECOND", 0.0)
    await behave(graph, pairRateLimit=True)
    assert [await outcome(graph, CUSTOMER) for _ in range(46)] == ["200"] * 45 + ["429"]
    assert await outcome(graph, OTHER) == "200"


async def test_a_closed_window_may_be_answered_instead(graph):
    await behave(graph, closedWindowVia="answer")
    answer = await graph.post(MESSAGES, json=text())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 131047)
    await reply(graph)
    assert (await graph.post(MESSAGES, json=text())).status_code == 200


async def test_a_reset_forgets_everything_but_the_channels(graph, receiver):
    await behave(graph, read=True)
    await reply(graph)
    await send(graph, sale())
    await graph.post("/_sim/reset")
    assert await ledger(graph) == []
    assert (await graph.get("/_sim/templates")).json() == {"data": []}
    assert (await graph.get("/_sim/behaviour")).json() == DEFAULTS
    await behave(graph)
    await receiver.statuses_reach(await send(graph, text()), "failed")
