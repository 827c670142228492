"""A flow tried on paper (api.md section 3, flow.md section 2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.run import Limits
from domain.shape import read_flow
from domain.simulated import Click, Reply, Simulation, Wait
from domain.simulation import Circumstances, ImpossibleStep, simulate

HOUR = timedelta(hours=1)


def template(name: str, **fields: Any) -> dict[str, Any]:
    message = {"type": "template", "name": name, "language": "en", "category": "marketing"}
    return {"type": "message", "message": message | fields.pop("message", {})} | fields


def text(body: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "message": {"type": "text", "body": body}} | fields


NODES: dict[str, Any] = {
    "welcome": template(
        "welcome",
        message={"body": ["{{name}}"], "preview": "Hello {{1}}"},
        buttons=[
            {"id": "yes", "label": "Yes", "next": "colour"},
            {"id": "stop", "label": "No more", "optOut": True},
        ],
        next="wait",
    ),
    "wait": {"type": "delay", "duration": "PT20H", "condition": "no_click", "next": "nudge"},
    "nudge": template("nudge"),
    "colour": text("Which colour, {{name}}?", next="ask"),
    "ask": {
        "type": "ask",
        "variable": "colour",
        "timeout": "PT1H",
        "next": "choose",
        "on_timeout": "nudge",
    },
    "choose": {
        "type": "branch",
        "cases": [{"variable": "colour", "op": "eq", "value": "red", "next": "red"}],
    },
    "red": text("Red it is"),
}


def flow(nodes: dict[str, Any] | None = None, start: str = "welcome", **fields: Any) -> Any:
    return read_flow(
        {
            "format": 1,
            "start": start,
            "variables": {"name": {"default": "you"}},
            "nodes": nodes or NODES,
        }
        | fields
    )


def tried(*steps: Wait | Click | Reply, of: Any = None, **around: Any) -> Simulation:
    return simulate(of or flow(), steps, Circumstances(stop_words=("STOP",), **around))


def got(simulation: Simulation) -> list[str]:
    return [message.node for message in simulation.messages]


def reasons(simulation: Simulation, node: str | None) -> list[tuple[str, str]]:
    return [(d.verdict, d.reason) for d in simulation.decisions if d.node == node]


def test_without_steps_it_stands_where_the_run_first_waits():
    simulation = tried(variables='{"name": "Ana"}')

    (message,) = simulation.messages
    assert (message.text, message.template, message.at) == (
        "Hello Ana",
        "welcome (en)",
        timedelta(),
    )
    assert message.buttons == [("yes", "Yes"), ("stop", "No more")]
    assert [visit.node for visit in simulation.path] == ["welcome", "wait"]
    delay, click = simulation.waiting_for
    assert (delay.node, delay.kind, delay.until) == ("wait", "delay", 20 * HOUR)
    assert (click.node, click.kind, click.until) == ("welcome", "click", None)
    assert click.buttons == ["yes", "stop"]
    assert simulation.outcome is None


def test_a_customer_who_does_nothing_gets_the_nudge_at_the_minute_it_is_due():
    simulation = tried(Wait(19 * HOUR), Wait(19 * HOUR))

    assert [(m.node, m.at) for m in simulation.messages] == [
        ("welcome", timedelta()),
        ("nudge", 20 * HOUR),
    ]
    assert reasons(simulation, "wait") == [
        ("go_on", "welcome was received and no button of it tapped")
    ]
    assert simulation.outcome == "completed"


def test_a_tap_ends_the_delay_and_starts_its_own_path():
    simulation = tried(Wait(HOUR), Click("welcome", "yes"), Wait(HOUR / 2))

    assert got(simulation) == ["welcome", "colour"]
    assert reasons(simulation, "wait") == [("end", "a button of welcome was tapped")]
    waiting = [(w.node, w.kind, w.until) for w in simulation.waiting_for]
    assert waiting == [("ask", "reply", 2 * HOUR), ("welcome", "click", None)]


def test_an_answer_becomes_an_output_variable_that_branches_read():
    simulation = tried(Click("welcome", "yes"), Reply("red"))

    assert got(simulation) == ["welcome", "colour", "red"]
    assert simulation.output_variables == {"colour": "red"}
    assert reasons(simulation, "ask") == [("answered", "the customer answered")]
    assert reasons(simulation, "choose") == [("go_on", "case 1 holds: colour eq red → red")]
    path = [visit.node for visit in simulation.path]
    assert path == ["welcome", "wait", "colour", "ask", "choose", "red"]


def test_no_case_ends_the_path():
    simulation = tried(Click("welcome", "yes"), Reply("blue"))

    assert reasons(simulation, "choose") == [("end", "no case holds, and nothing follows")]
    assert simulation.outcome == "completed"


def test_silence_goes_on_at_on_timeout():
    simulation = tried(Click("welcome", "yes"), Wait(HOUR))

    assert got(simulation)[-1] == "nudge"
    assert reasons(simulation, "ask") == [("timed_out", "no text came in time")]


def test_a_button_counts_once_and_the_second_tap_says_so():
    simulation = tried(Click("welcome", "yes"), Click("welcome", "yes"))

    assert got(simulation) == ["welcome", "colour"]
    assert ("ignored", "this button was tapped before") in reasons(simulation, "welcome")


def test_a_click_long_after_the_end_opens_the_run_again_and_leaves_its_outcome():
    simulation = tried(Wait(100 * HOUR), Click("welcome", "yes"))

    assert got(simulation) == ["welcome", "nudge", "colour"]
    assert simulation.outcome == "completed"
    assert [w.kind for w in simulation.waiting_for] == ["reply", "click"]


@pytest.mark.parametrize("step", [Click("welcome", "stop"), Reply(" stop! ")])
def test_who_opts_out_gets_no_more_marketing(step: Click | Reply):
    words = [step, Click("welcome", "yes"), Wait(30 * HOUR)]
    simulation = tried(*words)

    assert got(simulation) == ["welcome", "colour"], "an asked-for answer is no marketing"
    told = [d.verdict for d in simulation.decisions]
    assert "opt_out" in told
    assert ("opted_out", "the customer has opted out of marketing") in reasons(simulation, "nudge")


def test_a_stop_word_is_no_answer_to_an_ask():
    simulation = tried(Click("welcome", "yes"), Reply("STOP"))

    assert simulation.output_variables == {}
    assert [w.node for w in simulation.waiting_for if w.kind == "reply"] == ["ask"]


def test_a_text_without_an_open_ask_ends_only_delays_that_wait_for_a_response():
    nodes = NODES | {"wait": NODES["wait"] | {"condition": "no_response"}}

    assert got(tried(Reply("hi"), Wait(20 * HOUR))) == ["welcome", "nudge"]
    heard = tried(Reply("hi"), Wait(20 * HOUR), of=flow(nodes))
    assert got(heard) == ["welcome"]
    assert reasons(heard, "wait") == [("end", "a text came")]


def test_an_empty_template_parameter_is_refused_without_a_call():
    simulation = tried(of=flow(variables={"name": {"required": False}}))

    assert simulation.messages == []
    assert reasons(simulation, "welcome") == [("refused", "message.body.0 is empty")]
    assert simulation.outcome == "failed"


def test_a_free_form_message_needs_the_customer_to_have_acted_within_24_hours():
    nodes = NODES | {
        "colour": text("Soon", next="later"),
        "later": {"type": "delay", "duration": "PT20H", "condition": "all", "next": "later2"},
        "later2": {"type": "delay", "duration": "PT20H", "condition": "all", "next": "red"},
    }
    simulation = tried(Click("welcome", "yes"), Wait(50 * HOUR), of=flow(nodes))

    assert got(simulation) == ["welcome", "colour"]
    assert [verdict for verdict, _ in reasons(simulation, "red")] == ["refused"]


def test_splits_go_by_the_entry_id():
    nodes = {
        "hello": template("hello", next="half"),
        "half": {
            "type": "split",
            "paths": [{"weight": 1, "next": "a"}, {"weight": 1, "next": "b"}],
        },
        "a": template("a"),
        "b": template("b"),
    }
    ends = {got(tried(of=flow(nodes, "hello"), entry_id=str(i)))[-1] for i in range(20)}

    assert ends == {"a", "b"}
    again = {got(tried(of=flow(nodes, "hello"), entry_id="7"))[-1] for _ in range(5)}
    assert len(again) == 1


LOOP = {
    "hello": template("hello", next="wait"),
    "wait": {"type": "delay", "duration": "PT1H", "condition": "all", "next": "hello"},
}


def test_a_loop_ends_at_the_limit_of_sends():
    simulation = tried(Wait(timedelta(days=30)), of=flow(LOOP, "hello"), limits=Limits(max_sends=5))

    assert len(simulation.messages) == 5
    assert [visit.visit for visit in simulation.path if visit.node == "hello"] == [1, 2, 3, 4, 5, 6]
    assert simulation.outcome == "failed"
    assert reasons(simulation, None) == [("end", "a run makes at most 5 sends")]
    assert simulation.waiting_for == []


def test_a_loop_without_sends_is_stopped():
    nodes = {
        "hello": template("hello", next="ask"),
        "ask": {"type": "ask", "variable": "x", "timeout": "PT1S", "on_timeout": "ask"},
    }
    with pytest.raises(ImpossibleStep, match="wait for less") as caught:
        tried(Wait(HOUR / 60), Wait(timedelta(days=90)), of=flow(nodes, "hello"))
    assert caught.value.position == 1


def test_an_earlier_visit_of_a_message_can_be_tapped():
    nodes = LOOP | {"hello": LOOP["hello"] | {"buttons": [{"id": "x", "label": "X"}]}}
    simulation = tried(Wait(2 * HOUR), Click("hello", "x", 1), of=flow(nodes, "hello"))

    left = [(w.visit, w.buttons) for w in simulation.waiting_for if w.kind == "click"]
    assert left == [(2, ["x"]), (3, ["x"])]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Click("nudge", "yes"), "no message of 'nudge' was sent by then; sent was welcome"),
        (Click("welcome", "yes", 2), "no message of visit 2 of 'welcome'"),
        (Click("welcome", "maybe"), "it has yes, stop"),
        (Wait(timedelta(days=1001)), "at most 1,000 days"),
    ],
)
def test_an_impossible_step_is_named(step: Click | Wait, said: str):
    with pytest.raises(ImpossibleStep, match=said) as caught:
        tried(Wait(HOUR), step)
    assert caught.value.position == 1


# --- sending windows and messages whose time is over -------------------------------------------

MONDAY = datetime(2026, 1, 5, 21, tzinfo=UTC)
BY_DAY = {"timezone": "Europe/Berlin", "from": "09:00", "to": "20:00"}


def at_night(*steps: Wait | Click | Reply, start: datetime = MONDAY, **fields: Any) -> Simulation:
    return tried(*steps, of=flow(window=BY_DAY, **fields), start=start)


def test_a_first_message_waits_for_the_window():
    asleep = at_night()
    (waiting,) = asleep.waiting_for
    assert (waiting.node, waiting.kind, waiting.until) == ("welcome", "window", 11 * HOUR)
    assert asleep.outcome is None
    ((verdict, reason),) = reasons(asleep, "welcome")
    assert (verdict, reason) == (
        "held",
        "the sending window is closed; it is looked at again at 2026-01-06T08:00:00+00:00",
    )
    (welcome,) = at_night(Wait(12 * HOUR)).messages
    assert welcome.at == 11 * HOUR


def test_a_follow_up_waits_for_the_window_and_an_answer_does_not():
    """The delay of twenty hours ends at four in the morning, when the customer taps too."""
    start = datetime(2026, 1, 5, 8, tzinfo=UTC)
    tapped = at_night(Wait(15 * HOUR), Click("welcome", "yes"), start=start)
    assert got(tapped) == ["welcome", "colour"]
    silent = at_night(Wait(24 * HOUR), start=start)
    assert [(m.node, m.at) for m in silent.messages] == [
        ("welcome", timedelta()),
        ("nudge", 24 * HOUR),
    ]


def test_a_message_that_would_be_too_late_expires_before_the_window_opens():
    asleep = at_night(expireAfter="PT4H")
    assert asleep.waiting_for[0].until == 4 * HOUR
    late = at_night(Wait(4 * HOUR), expireAfter="PT4H")
    assert [verdict for verdict, _ in reasons(late, "welcome")] == ["held", "expired"]
    assert (late.messages, late.waiting_for, late.outcome) == ([], [], "failed")


def test_a_follow_up_that_expires_leaves_the_outcome_as_it_is():
    start = datetime(2026, 1, 5, 8, tzinfo=UTC)
    late = at_night(Wait(30 * HOUR), start=start, expireAfter="PT3H")
    assert got(late) == ["welcome"]
    assert [verdict for verdict, _ in reasons(late, "nudge")] == ["held", "expired"]
    assert late.outcome == "completed"


def test_a_recipients_window_goes_by_the_businesss_zone():
    by_recipient = flow(window=BY_DAY | {"timezone": "recipient"})
    assert got(tried(of=by_recipient, start=MONDAY)) == []
    assert got(tried(of=by_recipient, start=MONDAY, business_zone="America/Lima")) == ["welcome"]
