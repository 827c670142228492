"""The quick answer about a start message is the answer of rendering it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.flow import Flow
from domain.flow_inputs import FlowInputs
from domain.limits import over_limits
from domain.rendering import render, values_for
from domain.start_message import StartMessage

NODES: dict[str, dict[str, Any]] = {
    "a lone body": {"message": {"type": "template", "body": ["{{a}}", "{{b}} and {{b}}"]}},
    "a header": {
        "message": {"type": "template", "header": {"type": "text", "text": "Hi {{a}}"}, "body": []}
    },
    "a header's link": {
        "message": {
            "type": "template",
            "header": {"type": "image", "link": "https://x.example/{{a}}.jpg"},
            "body": ["{{b}}"],
        }
    },
    "a whole link": {
        "message": {"type": "template", "header": {"type": "image", "link": "{{a}}"}, "body": []}
    },
    "a url button": {
        "message": {"type": "template", "url_buttons": [{"index": 0, "text": "{{a}}?b={{b}}"}]}
    },
    "a place": {
        "message": {
            "type": "template",
            "header": {"type": "location", "latitude": "{{a}}", "longitude": "10"},
        }
    },
    "no variable": {"message": {"type": "template", "body": ["hello"]}},
}

some_texts = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["", " ", "x" * 57, "x" * 58, "x" * 1100, "é" * 700, "x" * 40_000, "12.5"]),
    st.sampled_from(["https://x.example/1.jpg", "95", "a b\n c"]),
)


def flow_of(node: dict[str, Any]) -> Flow:
    message = {"name": "t", "language": "en", "category": "utility", **node["message"]}
    variables = {"a": {"required": False}, "b": {"default": "bee"}}
    nodes = {"n": {"type": "message", "message": message}}
    return Flow.model_validate({"format": 1, "start": "n", "variables": variables, "nodes": nodes})


FLOWS = {name: flow_of(node) for name, node in NODES.items()}


@pytest.mark.parametrize("name", NODES)
@given(texts=st.dictionaries(st.sampled_from(["a", "b"]), some_texts))
def test_it_refuses_exactly_what_is_over_the_limits_when_rendered(name: str, texts: dict[str, str]):
    flow = FLOWS[name]
    texts = {name: text for name, text in texts.items() if text.strip()}
    rendered = render(flow.nodes["n"], values_for(flow, texts, {}))  # type: ignore[arg-type]
    wrong = (
        bool(over_limits(rendered, "nodes.n", rendered=True)) and rendered is not flow.nodes["n"]
    )
    assert (StartMessage(flow).refusal(texts) is not None) is wrong


def test_a_refusal_names_the_field_that_is_too_long():
    refusal = StartMessage(FLOWS["a header"]).refusal({"a": "x" * 60})
    assert refusal is not None
    assert "nodes.n.message.header.text" in refusal


def test_a_flow_that_does_not_start_with_a_message_is_not_rendered():
    split = {"type": "split", "paths": [{"weight": 1}]}
    flow = Flow.model_validate({"format": 1, "start": "s", "nodes": {"s": split}})
    assert StartMessage(flow).refusal({}) is None


@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({"need": "x"}, None),
        ({"need": False}, None),
        ({}, "`variables.need` is required"),
        ({"need": None}, "`variables.need` is required"),
        ({"need": "\u00a0\n"}, "`variables.need` is required"),
        ({"need": {}}, "`variables.need` must be text, a number or a boolean"),
        ({"need": "x", "may": []}, "`variables.may` must be text, a number or a boolean"),
        ({"need": "x", "other": []}, None),
    ],
)
def test_required_variables_and_the_types_of_declared_ones_are_checked(
    variables: dict[str, Any], refused: str | None
):
    split = {"type": "split", "paths": [{"weight": 1}]}
    declared = {"need": {}, "may": {"default": 5}}
    flow = Flow.model_validate(
        {"format": 1, "start": "s", "variables": declared, "nodes": {"s": split}}
    )
    assert FlowInputs(flow).refusal(variables) == refused
