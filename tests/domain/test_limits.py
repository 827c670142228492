from typing import Any

import pytest

from domain.flow import MessageNode
from domain.limits import least_length, over_limits
from domain.message_types import TextMessage
from domain.rendering import empty_parameter, placeholders, render


def node(message: dict[str, Any], *buttons: dict[str, Any]) -> MessageNode:
    return MessageNode.model_validate(
        {"type": "message", "message": message, "buttons": [*buttons]}
    )


def template(**fields: Any) -> dict[str, Any]:
    return {"type": "template", "name": "t", "language": "en", "category": "utility", **fields}


def found(one: MessageNode, *, rendered: bool = True) -> list[tuple[str, str]]:
    return [(i.code, i.path) for i in over_limits(one, "nodes.a", rendered=rendered)]


def button(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"b{number}", "label": f"Button {number}", **fields}


V = "{{v}}"
IMAGE = {"type": "image", "link": V}
PLACE = {"type": "location", "latitude": V, "longitude": 0}
REPLY = {"type": "buttons", "body": "b"}


# Each holds whatever v is before rendering; rendered, only the first value keeps the limits.
@pytest.mark.parametrize(
    ("written", "good", "bad", "issue"),
    [
        (node({"type": "text", "body": V}), "x" * 4096, "x" * 4097, "TEXT_TOO_LONG message.body"),
        (node({"type": "text", "body": V}), "x", "", "TEXT_EMPTY message.body"),
        (
            node({**REPLY, "body": V}, button(1)),
            "x" * 1024,
            "x" * 1025,
            "TEXT_TOO_LONG message.body",
        ),
        (
            node({**REPLY, "footer": V}, button(1)),
            "",
            "x" * 61,
            "TEXT_TOO_LONG message.footer",
        ),
        (
            node(REPLY, button(1, label=V)),
            "x" * 20,
            "x" * 21,
            "TEXT_TOO_LONG buttons.0.label",
        ),
        (
            node(REPLY, button(1), button(2, label=f"Button {V}")),
            "3",
            "1",
            "DUPLICATE_BUTTON_LABEL buttons.1.label",
        ),
        (
            node({"type": "list", "body": "b", "menu": "m"}, button(1, description=V)),
            "x" * 72,
            "x" * 73,
            "TEXT_TOO_LONG buttons.0.description",
        ),
        (node(template(body=[V])), "x" * 32768, "x" * 32769, "TEXT_TOO_LONG message.body.0"),
        (
            node(template(body=[V], header="h")),
            "x" * 1024,
            "x" * 1025,
            "TEXT_TOO_LONG message.body.0",
        ),
        (
            node(template(body=[V, V], header="h", preview="Hi {{1}} {{2}}")),
            "x" * 510,
            "x" * 511,
            "TEXT_TOO_LONG message.body",
        ),
        (node(template(header=V)), "x" * 60, "x" * 61, "TEXT_TOO_LONG message.header.text"),
        (
            node(template(copy_code={"index": 0, "code": V})),
            "x" * 20,
            "x" * 21,
            "TEXT_TOO_LONG message.copy_code.code",
        ),
        (node(IMAGE), "https://example.com/a.png", "a.png", "INVALID_LINK message.link"),
        (node(IMAGE), "HTTP://EXAMPLE.COM", "https:///a", "INVALID_LINK message.link"),
        (
            node(template(header=IMAGE)),
            "https://example.com",
            "none",
            "INVALID_LINK message.header.link",
        ),
        (
            node({"type": "image", "id": "1", "caption": V}),
            "x" * 1024,
            "x" * 1025,
            "TEXT_TOO_LONG message.caption",
        ),
        (node({"type": "image", "id": V}), "1", " ", "TEXT_EMPTY message.id"),
        (node(PLACE), "-89.5", "90.5", "INVALID_COORDINATES message.latitude"),
        (node(PLACE), "1e1", "nan", "INVALID_COORDINATES message.latitude"),
        (node(PLACE), "0", "1,5", "INVALID_COORDINATES message.latitude"),
    ],
)
def test_rendered_messages_are_judged_exactly(written, good, bad, issue):
    code, path = issue.split()
    assert found(written, rendered=False) == []
    assert found(render(written, {"v": good})) == []
    assert found(render(written, {"v": bad})) == [(code, f"nodes.a.{path}")]


@pytest.mark.parametrize(
    "message",
    [
        template(body=[V]),
        template(header=V),
        template(header=IMAGE),
        template(header={"type": "image", "id": V}),
        template(url_buttons=[{"index": 0, "text": V}]),
        template(copy_code={"index": 0, "code": V}),
    ],
)
def test_a_parameter_that_renders_blank_is_left_to_its_own_refusal(message):
    rendered = render(node(message), {"v": " "})
    assert found(rendered) == []
    assert empty_parameter(rendered) is not None


def test_braces_in_a_value_are_text():
    rendered = render(node({"type": "text", "body": V}), {"v": "{{x}}" * 1000})
    assert found(rendered) == [("TEXT_TOO_LONG", "nodes.a.message.body")]


def test_every_issue_says_what_to_do():
    [issue] = over_limits(node({"type": "text", "body": "x" * 5000}), "nodes.a", rendered=True)
    assert issue.severity == "error"
    assert "4,096" in issue.message
    assert "5,000" in issue.message


@pytest.mark.parametrize(
    "text",
    ["", "Hi", "{{a}}", "{{ a b }}", "{{}}", "{{ }}", "{a}", "{{a}b}", "{{{a}}}", "{{a}} {{b"],
)
def test_what_counts_as_a_placeholder_is_what_rendering_fills_in(text):
    names = list(placeholders(text))
    filled = render(node({"type": "text", "body": text}), dict.fromkeys(names, ""))
    assert isinstance(filled.message, TextMessage)
    assert least_length(text) == len(filled.message.body)


def test_ids_on_the_wire_always_fit():
    ours = "0" * 26  # a ULID
    longest = node(REPLY, {"id": "x" * 100, "label": "l"})
    assert len(f"{ours}:{longest.buttons[0].id}") <= 200
