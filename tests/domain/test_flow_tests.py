"""Saved flow tests: the file's shape, and what of a flow they notice."""

from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from domain.durations import in_words
from domain.flow_tests import Failure, FlowTest, play
from domain.json_text import NumberLiteral
from domain.simulation import Circumstances
from tests.domain.test_simulation import BY_DAY, LOOP, flow, template

HOUR = timedelta(hours=1)


def saved(*steps: Any, **fields: Any) -> FlowTest:
    return FlowTest.model_validate(
        {"name": "test", "flow": "x.json", "steps": list(steps)} | fields
    )


def played(*steps: Any, of: Any = None, **fields: Any) -> Failure | None:
    around = Circumstances(stop_words=("STOP",), variables='{"name": "Ana"}')
    return play(saved(*steps, **fields), of or flow(), around)


def told(failure: Failure | None) -> tuple[int | None, timedelta, str, str]:
    assert failure is not None
    return failure.step, failure.at, failure.expected, failure.seen


def test_what_holds_passes():
    steps = (
        {"expect": {"message": "welcome", "contains": "Hello Ana"}},
        {"after": "2 h", "click": "Yes", "expect": "colour"},
        {"after": "PT30M", "reply": "red", "expect": ["red"]},
        {"after": "30 h", "expect": []},
    )
    assert played(*steps, outcome="completed", answers={"colour": "red"}) is None


@pytest.mark.parametrize(
    ("step", "expected", "seen"),
    [
        ({"click": "Yes", "expect": "red"}, "red", "colour “Which colour, Ana?”"),
        ({"click": "Yes", "expect": []}, "nothing", "colour “Which colour, Ana?”"),
        ({"reply": "hi", "expect": "colour"}, "colour", "nothing"),
        (
            {"click": "Yes", "expect": {"message": "colour", "contains": "Bo"}},
            "colour with “Bo”",
            "colour “Which colour, Ana?”",
        ),
        (
            {"after": "20 h", "click": "Yes", "expect": ["colour", "nudge"]},
            "colour, nudge",
            "nudge “nudge”, colour “Which colour, Ana?”",
        ),
    ],
)
def test_what_comes_must_be_exactly_what_is_expected_in_its_order(
    step: dict[str, Any], expected: str, seen: str
):
    after = timedelta(hours=21) if "after" in step else HOUR
    failed = played({"after": "1 h", "expect": []}, step)
    assert told(failed) == (2, after, expected, seen)


def test_the_failing_step_says_what_was_decided_in_it():
    failed = played({"expect": "welcome"}, {"after": "21 h", "expect": []})
    assert failed is not None
    assert [(d.node, d.verdict) for d in failed.decisions] == [("wait", "go_on")]


def test_the_first_step_sees_the_start_only_if_nothing_happens_in_it():
    assert told(played({"expect": []}))[3] == "welcome “Hello Ana”"
    assert played({"after": "1 h", "expect": []}) is None


def test_without_expect_a_step_may_bring_anything():
    assert played({"after": "21 h"}, {"click": "Yes", "expect": "colour"}) is None


@pytest.mark.parametrize(
    "click", ["Yes", "yes", {"button": "Yes", "message": "welcome", "visit": NumberLiteral("1")}]
)
def test_a_button_is_named_by_label_or_id(click: Any):
    assert played({"click": click, "expect": "colour"}) is None


def test_a_label_goes_before_an_id_and_a_newer_message_before_an_older():
    buttons = [{"id": "no", "label": "yes"}, {"id": "yes", "label": "no", "next": "red"}]
    nodes = LOOP | {
        "hello": LOOP["hello"] | {"buttons": buttons},
        "red": {"type": "message", "message": {"type": "text", "body": "red"}},
    }
    of = flow(nodes, "hello")
    assert played({"click": "no", "expect": "red"}, of=of) is None
    again = ({"click": "no"}, {"after": "1 h"}, {"click": "no", "expect": "red"})
    assert played(*again, of=of) is None
    earlier = {"button": "no", "message": "hello", "visit": 1}
    failed = played(*again[:2], {"click": earlier, "expect": "red"}, of=of)
    assert failed is not None
    assert [d.verdict for d in failed.decisions] == ["ignored"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            {"click": "Maybe"},
            "there are: “Yes” (yes) of welcome, “No more” (stop) of welcome",
        ),
        ({"click": {"button": "Yes", "message": "nudge"}}, "no button “Yes” of nudge was sent"),
        ({"after": "900 d"}, "at most 1,000 days"),
    ],
)
def test_a_step_that_cannot_be_taken_fails(step: dict[str, Any], said: str):
    number, _, expected, seen = told(played({"after": "200 d"}, step))
    assert (number, expected) == (2, "a step that can be taken")
    assert said in seen


@pytest.mark.parametrize(
    ("fields", "expected", "seen"),
    [
        ({"outcome": "running"}, "the outcome running", "completed"),
        ({"answers": {"colour": "blue"}}, "the answers {'colour': 'blue'}", "{'colour': 'red'}"),
    ],
)
def test_the_end_is_looked_at_after_the_last_step(fields: Any, expected: str, seen: str):
    steps = ({"click": "Yes"}, {"reply": "red"})
    assert told(played(*steps, **fields)) == (None, timedelta(), expected, seen)


def test_an_entry_under_way_is_running():
    assert played({"expect": "welcome"}, outcome="running") is None


def test_time_zone_and_entry_decide_as_for_a_real_run():
    night = {"start": "2026-01-05T21:00:00Z"}
    of = flow(window=BY_DAY | {"timezone": "recipient"})
    assert played({"expect": []}, of=of, **night) is None
    assert played({"expect": "welcome"}, of=of, timezone="America/Lima", **night) is None
    shares = [{"weight": 1, "next": "a"}, {"weight": 1, "next": "b"}]
    half = {"half": {"type": "split", "paths": shares}, "a": template("a"), "b": template("b")}
    seen = {
        told(played({"expect": []}, of=flow(half, "half"), entryId=str(i)))[3] for i in range(20)
    }
    assert seen == {"a “a”", "b “b”"}


@pytest.mark.parametrize(
    ("given", "duration"),
    [
        ("2 h", 2 * HOUR),
        ("1 h 30 min", 1.5 * HOUR),
        ("1d", 24 * HOUR),
        ("2 days 5 seconds", timedelta(days=2, seconds=5)),
        ("PT2H", 2 * HOUR),
        (7200, 2 * HOUR),
        (NumberLiteral("0.5"), timedelta(seconds=0.5)),
    ],
)
def test_times_in_words_in_iso_8601_and_in_seconds(given: object, duration: timedelta):
    test = saved({"after": given})
    assert test.steps[0].after == duration
    assert saved({"after": in_words(duration)}).steps[0].after == duration


@pytest.mark.parametrize(
    ("steps", "fields", "place"),
    [
        ([], {}, ("steps",)),
        ([{}], {}, ("steps", 0)),
        ([{"click": "a", "reply": "b"}], {}, ("steps", 0)),
        ([{"clik": "a"}], {}, ("steps", 0, "clik")),
        ([{"after": "soon"}], {}, ("steps", 0, "after")),
        ([{"after": "0 h"}], {}, ("steps", 0, "after")),
        ([{"click": True}], {}, ("steps", 0, "click")),
        ([{"expect": ["a", {"contains": "b"}]}], {}, ("steps", 0, "expect", 1, "message")),
        ([{"expect": "a"}], {"format": 2}, ("format",)),
        ([{"expect": "a"}], {"timezone": "Mars"}, ("timezone",)),
        ([{"expect": "a"}], {"start": "2026-01-05"}, ("start",)),
        ([{"after": "2 d"}], {"start": "9999-12-31T00:00:00Z"}, ("start",)),
        ([{"expect": "a"}], {"outcome": "unknown"}, ("outcome",)),
    ],
)
def test_what_is_no_test_is_refused_at_its_place(steps: list[Any], fields: Any, place: Any):
    with pytest.raises(ValidationError) as caught:
        saved(*steps, **fields)
    assert place in [error["loc"] for error in caught.value.errors()]


def test_the_published_schema_takes_every_spelling():
    document = {
        "name": "all",
        "flow": {"format": 1},
        "steps": [
            {"after": 90, "click": "Yes", "expect": "a"},
            {"after": "2 h", "click": {"button": "Yes", "message": "a", "visit": 2}, "expect": []},
            {"reply": "x", "expect": ["a", {"message": "b", "contains": "c"}]},
        ],
        "outcome": "running",
        "entryId": "7",
        "start": "2026-01-05T21:00:00Z",
    }
    FlowTest.model_validate(document)
    jsonschema.validate(document, FlowTest.model_json_schema())
