import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.flow import Flow
from domain.shape import MOST_ISSUES, FlowFormatUnsupported, FlowShapeError, read_flow
from tests.domain.golden import golden_cases, golden_codes


def issues_of(document: object) -> list[Any]:
    with pytest.raises(FlowShapeError) as caught:
        read_flow(document)
    return caught.value.issues


@pytest.mark.parametrize("case", golden_cases("shape"))
def test_golden(case):
    if not case["issues"]:
        assert isinstance(read_flow(case["document"]), Flow)
        return

    issues = issues_of(case["document"])

    assert [{"code": i.code, "path": i.path} for i in issues] == case["issues"]
    assert all(i.severity == "error" and i.message for i in issues)


def test_every_code_has_a_golden_file():
    assert golden_codes("shape") == {
        "INVALID_VALUE",
        "MISSING_FIELD",
        "UNKNOWN_FIELD",
        "UNKNOWN_TYPE",
        "UNSUPPORTED_FORMAT",
        "VALID",
        "WRONG_TYPE",
    }


def delay(**fields: Any) -> dict[str, Any]:
    node = {"type": "delay", "duration": "PT1H", "condition": "all", **fields}
    return {"format": 1, "start": "a", "nodes": {"a": node}}


@pytest.mark.parametrize(
    ("document", "fix"),
    [
        (delay(duraton="PT1H"), "`duration`"),
        (delay(condition="clicked"), "all, no_click, no_response"),
        (delay(duration="1h"), "PT20H"),
        (delay(type="dela"), "message, delay, branch, split, ask"),
        ({"format": 1, "start": "a", "nodes": {"a": {}}}, "message, delay, branch, split, ask"),
        ({**delay(), "expire_after": "PT1H"}, "`expireAfter`"),
    ],
)
def test_messages_name_the_fix(document, fix):
    assert fix in issues_of(document)[0].message


def test_a_newer_format_is_told_apart():
    with pytest.raises(FlowFormatUnsupported):
        read_flow({"format": 2})
    with pytest.raises(FlowFormatUnsupported):
        read_flow({"format": 1.5})
    assert [i.code for i in issues_of({})] == ["MISSING_FIELD"] * 3


def test_values_that_no_store_takes_are_refused_wherever_they_stand():
    paths = {
        "layout.a.x": {**delay(), "layout": {"a": {"x": float("nan")}}},
        "layout.0": {**delay(), "layout": [float("inf")]},
        "": {**delay(), "\ud800": 1},
        "nodes": {"format": 1, "start": "a", "nodes": {5: {}}},
    }
    for path, document in paths.items():
        assert [i.path for i in issues_of(document)] == [path]


def test_a_hopeless_document_gets_a_bounded_answer():
    issues = issues_of({**delay(), **{f"x{i}": i for i in range(5000)}})
    assert len(issues) == MOST_ISSUES


def test_deep_nesting_does_not_break_the_reader():
    layout: Any = {}
    for _ in range(50_000):
        layout = {"a": layout}
    assert issues_of({**delay(x=1), "layout": {"a": layout}})[0].path == "nodes.a.x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
VALID: list[dict[str, Any]] = [case.values[0]["document"] for case in golden_cases("shape")]


def with_change(document: Any, path: list[int], value: Any) -> Any:
    """The document with one value somewhere in it replaced."""
    if not path or not isinstance(document, dict | list) or not document:
        return value
    if isinstance(document, list):
        at = path[0] % len(document)
        return [*document[:at], with_change(document[at], path[1:], value), *document[at + 1 :]]
    key = sorted(document, key=str)[path[0] % len(document)]
    return {**document, key: with_change(document[key], path[1:], value)}


@settings(max_examples=300)
@given(st.sampled_from(VALID), st.lists(st.integers(0, 9), max_size=6), JSON)
def test_any_document_is_read_or_refused_with_one_issue_per_field_and_code(document, path, value):
    changed = with_change(document, path, value)
    with suppress(FlowShapeError):
        read_flow(changed)
        return
    issues = issues_of(changed)
    places = [(i.code, i.path) for i in issues]
    assert places
    assert len(places) == len(set(places))
    for issue in issues:
        assert "function-before" not in issue.path
        assert "dict[" not in issue.path
        json.dumps(issue.model_dump())


def test_null_for_an_optional_field_is_as_if_it_were_not_there():
    """As in every request (api.md section 1)."""
    message = {"type": "template", "name": "hi", "language": "en", "category": "utility"}
    nulls = {
        "format": 1,
        "start": "hi",
        "variables": None,
        "window": None,
        "layout": None,
        "nodes": {
            "hi": {
                "type": "message",
                "message": message | {"body": None, "header": None, "url_buttons": None},
                "buttons": None,
                "next": None,
            }
        },
    }
    plain = {
        "format": 1,
        "start": "hi",
        "nodes": {"hi": {"type": "message", "message": message}},
    }
    assert read_flow(nulls) == read_flow(plain)


def test_null_for_a_required_field_is_refused():
    with pytest.raises(FlowShapeError):
        read_flow({"format": 1, "start": None, "nodes": {}})
