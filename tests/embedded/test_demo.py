"""`sendout demo`: on a stack of its own, on one that runs, and when somebody got something wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from domain.flow import DelayNode, MessageNode
from domain.message_types import TemplateMessage, TextMessage
from domain.shape import read_flow
from embedded.demo import verdict
from embedded.demo_customers import (
    IN_TIME,
    MESSAGES,
    PLANS,
    Counts,
    Customer,
    Text,
    expected_counts,
    make_customers,
    wrong_customers,
)
from embedded.ports import free_ports
from embedded.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


def demo(**ports: int) -> subprocess.CompletedProcess[str]:
    settings = {f"SENDOUT_{name.upper()}": str(port) for name, port in ports.items()}
    return subprocess.run(
        [sys.executable, "-m", "cli", "demo"],
        check=False,
        cwd=ROOT,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_it_starts_a_stack_and_everybody_gets_what_the_flow_says():
    """One command, no stack before and none after: the report is printed and the status is 0."""
    (closed,) = free_ports(1)
    done = demo(api_port=closed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The stack is ready" in done.stdout
    assert "Each of the 84 customers got exactly what the flow says." in done.stdout
    assert (
        "Entries:  174 accepted, 74 duplicate, 84 completed, 10 failed, 6 optedOut" in done.stdout
    )
    assert "/workflows/run-" in done.stdout


def test_it_uses_the_stack_that_runs_and_leaves_its_behaviour_alone():
    """What was set up in the simulator is as before, and the stack goes on."""
    with Stack.start() as stack:
        behaviour = f"{stack.simulator_url}/_sim/behaviour"
        with httpx.Client(timeout=60, trust_env=False) as http:
            http.put(behaviour, json={"read": True, "seed": 7}).raise_for_status()
            before = http.get(behaviour).json()
            done = demo(**stack.ports)
            assert done.returncode == 0, done.stdout + done.stderr
            assert f"Using the stack that runs at {stack.api_url}" in done.stdout
            assert http.get(behaviour).json() == before
        assert stack.process.poll() is None


# --- a wrong ledger is found ---------------------------------------------------------------------


def performed() -> list[Customer]:
    """Customers who got, in both sendings, exactly what they had to."""
    customers = make_customers(1)
    for customer in customers:
        for n, message in enumerate(customer.expects(again=True)):
            customer.receive(f"wamid.{n}", message)
    return customers


def judged(customers: list[Customer], counts: Counts) -> tuple[int, str]:
    console = Console(file=StringIO(), width=200)
    status = verdict(console, customers, counts, again=True)
    return status, console.file.getvalue()  # type: ignore[attr-defined]


def test_it_is_content_when_everything_is_right():
    """The ledger and the counts that the flow calls for give status 0."""
    customers = performed()
    status, report = judged(customers, expected_counts(customers, again=True))
    assert (status, "84 customers got exactly" in report) == (0, True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda got: got.append(got[-1]),
        lambda got: got.pop(),
        lambda got: got.reverse(),
        lambda got: got.__setitem__(0, Text("Hi, will you come?", got[0].buttons)),
        lambda got: got.__setitem__(0, got[0]._replace(buttons=("Yes",))),
    ],
    ids=["doubled", "lost", "out of order", "another text", "a button missing"],
)
def test_a_customer_who_got_something_else_is_named(spoil: Callable[[list[Text]], Any]):
    """One message of one customer is wrong: status 1, and the report says whose and what."""
    customers = performed()
    counts = expected_counts(customers, again=True)
    spoil(customers[3].got)
    status, report = judged(customers, counts)
    assert status == 1
    assert customers[3].number in report
    assert customers[3].expects(again=True)[0].text in report
    assert "1 customers and 0 counts are wrong." in report


def test_a_wrong_count_is_named():
    """The ledger is right but the API counts one message too few: status 1."""
    customers = performed()
    counts = expected_counts(customers, again=True)
    counts["messages"]["sent"] -= 1
    status, report = judged(customers, counts)
    assert status == 1
    assert "messages: sent should be 182, the API says 181" in report


# --- a tap may come late -------------------------------------------------------------------------

_LATE = IN_TIME + 0.1


@pytest.mark.parametrize(
    ("taps", "nudges", "sent", "status"),
    [
        ((_LATE,), 0, 182, 0),
        ((_LATE,), 1, 183, 0),
        ((_LATE,), 2, 183, 1),
        ((IN_TIME, _LATE), 1, 182, 1),
    ],
    ids=["late", "late and nudged", "nudged twice", "in time and nudged"],
)
def test_a_nudge_is_right_for_who_tapped_late(
    taps: tuple[float, ...], nudges: int, sent: int, status: int
):
    """The delay may be over before a late tap is known; one made in time has to stop the nudge."""
    customers = performed()
    for seconds in taps:
        customers[0].tap("invite", seconds)
    customers[0].got[1:1] = [customers[0].text("nudge")] * nudges
    counts = expected_counts(customers, again=True)
    assert counts["messages"]["sent"] == sent
    told, report = judged(customers, counts)
    assert told == status
    assert ("1 of the customers were heard more than 2.5 s" in report) == (sent == 183)


# --- the expectations are about the example flow -------------------------------------------------


def test_the_messages_are_those_of_the_example():
    """The texts and buttons that the demo expects are the flow's own."""
    flow = read_flow(json.loads((ROOT / "examples/flows/demo.json").read_bytes()))
    written = {}
    for name, node in flow.nodes.items():
        if isinstance(node, MessageNode):
            assert isinstance(node.message, TemplateMessage | TextMessage)
            if isinstance(node.message, TemplateMessage):
                text = (node.message.preview or "").replace("{{1}}", "{name}")
            else:
                text = node.message.body.replace("{{name}}", "{name}")
            text = text.replace("{{2}}", "our open day").replace("{{event}}", "our open day")
            written[name] = Text(text, tuple(button.label for button in node.buttons))
    assert written == MESSAGES
    (delay,) = (node for node in flow.nodes.values() if isinstance(node, DelayNode))
    assert delay.duration == timedelta(seconds=2 * IN_TIME)


def test_every_plan_has_customers_of_its_own():
    """No two customers share a number or a name, and each plan is there."""
    customers = make_customers(999_999_950)
    assert len({c.number for c in customers}) == len({c.name for c in customers}) == 84
    assert {c.plan.does for c in customers} == {plan.does for plan in PLANS}
    assert len(wrong_customers(customers, again=False)) == 84 - 4  # 4 are to get nothing yet
