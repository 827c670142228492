"""Templates in Connectly's words and in Graph's."""

from typing import Any

import pytest

from domain.template_shapes import ComponentInvalid, connectly_components, graph_components

CONNECTLY: list[dict[str, Any]] = [
    {"header": {"text": {"text": "For {{1}}", "example": ["Ana"]}}},
    {"body": {"text": {"text": "{{1}} and {{2}}", "example": ["a", "b"]}}},
    {"footer": {"text": {"text": "Shop"}}},
    {"buttons": [{"type": "URL", "text": "Open", "url": "https://shop.example/{{1}}"}]},
]
GRAPH = [
    {"type": "HEADER", "format": "TEXT", "text": "For {{1}}", "example": {"header_text": ["Ana"]}},
    {"type": "BODY", "text": "{{1}} and {{2}}", "example": {"body_text": [["a", "b"]]}},
    {"type": "FOOTER", "text": "Shop"},
    {
        "type": "BUTTONS",
        "buttons": [{"type": "URL", "text": "Open", "url": "https://shop.example/{{1}}"}],
    },
]


def test_components_are_the_same_both_ways():
    assert graph_components(CONNECTLY) == GRAPH
    assert connectly_components(GRAPH) == CONNECTLY


def test_graph_gets_its_own_order():
    assert graph_components(list(reversed(CONNECTLY))) == GRAPH


def test_named_variables_have_named_examples():
    named = [{"body": {"text": {"text": "{{who}}", "example": ["Ana"]}}}]

    [body] = graph_components(named)

    assert body["example"] == {
        "body_text_named_params": [{"param_name": "who", "example": "Ana"}],
    }
    assert connectly_components([body]) == named


def test_media_keep_their_kind_and_handle():
    media = [
        {"header": {"media": {"type": "TYPE_IMAGE", "example": ["4::x"]}}},
        {"body": {"text": {"text": "Look", "example": []}}},
    ]

    assert connectly_components(graph_components(media)) == media


@pytest.mark.parametrize("component", [{}, {"body": {}}, {"body": 1}, {"header": {"media": {}}}])
def test_what_is_no_component_is_named(component: dict[str, object]):
    with pytest.raises(ComponentInvalid, match="templateComponents"):
        graph_components([component])


def test_whatever_graph_lists_is_shown():
    strange = [{"type": "LIMITED_TIME_OFFER"}, {"type": "BODY"}, None, {"type": "BUTTONS"}]

    assert connectly_components(strange) == [
        {"body": {"text": {"text": None, "example": []}}},
        {"buttons": []},
    ]
