from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.flow import Flow, MessageNode
from domain.rendering import (
    empty_parameter,
    missing_variables,
    placeholders,
    preview_text,
    render,
    values_for,
    variable_text,
)


def node(message: dict[str, Any], *buttons: dict[str, Any]) -> MessageNode:
    return MessageNode.model_validate(
        {"type": "message", "message": message, "buttons": list(buttons)}
    )


def template(**fields: Any) -> MessageNode:
    return node(
        {"type": "template", "name": "sale", "language": "en", "category": "utility", **fields}
    )


def text_of(body: str, values: dict[str, str]) -> Any:
    return render(node({"type": "text", "body": body}), values).message.body  # type: ignore[union-attr]


FLOW = Flow.model_validate(
    {
        "format": 1,
        "start": "hello",
        "variables": {
            "customername": {},
            "product": {"default": "the new watch"},
            "count": {"default": 3},
            "note": {"required": False},
            "code": {"required": True, "default": "X"},
        },
        "nodes": {
            "hello": {"type": "message", "message": {"type": "text", "body": "Hi"}},
            "ask": {"type": "ask", "variable": "size", "timeout": "PT1H"},
            "again": {"type": "ask", "variable": "note", "timeout": "PT1H"},
        },
    }
)


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ana", "Ana"),
        ("", ""),
        ("19.90", "19.90"),
        (True, "true"),
        (False, "false"),
        (None, None),
        (12345678901234567890, "12345678901234567890"),
        (19.5, "19.5"),
        (0, "0"),
    ],
)
def test_a_variable_prints_as_its_json_does(value: object, text: str | None):
    assert variable_text(value) == text


@pytest.mark.parametrize("value", [[], {}, ["a"], object()])
def test_a_variable_is_never_an_object_or_a_list(value: object):
    with pytest.raises(TypeError):
        variable_text(value)


def test_placeholders_are_named_in_order_without_their_spaces():
    assert list(placeholders("{{ b }} {{a}}{{b}} {{first name}} {x} {{}} {{ }} {{{c}}}")) == [
        "b", "a", "b", "first name", "c",
    ]  # fmt: skip


def test_absent_optional_variables_take_their_default_or_nothing_and_unknown_ones_are_dropped():
    given = {"customername": "Ana", "code": "Y", "other": "dropped"}
    assert values_for(FLOW, given, {}) == {
        "customername": "Ana",
        "product": "the new watch",
        "count": "3",
        "note": "",
        "code": "Y",
        "size": "",
    }


def test_a_blank_optional_value_counts_as_not_given():
    values = values_for(FLOW, {"product": " \n", "note": " "}, {})
    assert (values["product"], values["note"]) == ("the new watch", "")


def test_an_answer_replaces_a_given_value_even_with_nothing():
    given = {"note": "given"}
    assert values_for(FLOW, given, {})["note"] == "given"
    answered = values_for(FLOW, given, {"note": "answered", "size": "L"})
    assert (answered["note"], answered["size"]) == ("answered", "L")
    assert values_for(FLOW, given, {"note": ""})["note"] == ""


@pytest.mark.parametrize("blank", [{}, {"customername": ""}, {"customername": " \t\u00a0"}])
def test_required_variables_are_missing_when_absent_or_blank(blank: dict[str, str]):
    assert missing_variables(FLOW, blank) == ["customername", "code"]
    assert missing_variables(FLOW, {**blank, "customername": "Ana", "code": "1"}) == []


# --- places ------------------------------------------------------------------------------------


def test_a_node_without_placeholders_is_returned_itself():
    plain = template(body=["one line"], preview="{{1}}")
    assert render(plain, {"1": "x"}) is plain


def test_names_templates_previews_and_button_ids_are_never_filled_in():
    original = template(name="sale{{v}}", language="{{v}}", preview="Hi {{v}}", body=["{{v}}"])
    rendered = render(original, {"v": "x"}).message
    assert rendered.model_dump() == {**original.message.model_dump(), "body": ("x",)}


def test_every_text_of_a_button_but_its_id_is_filled_in():
    button = {"id": "{{v}}", "label": "{{v}}!", "description": "a {{v}}", "section": "{{v}}"}
    (rendered,) = render(
        node({"type": "list", "body": "b", "menu": "m"}, button), {"v": "x"}
    ).buttons
    assert (rendered.id, rendered.label, rendered.description, rendered.section) == (
        "{{v}}", "x!", "a x", "x",
    )  # fmt: skip


def test_values_are_not_searched_for_placeholders():
    assert text_of("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}) == "{{b}}{{a}}"


def test_names_are_case_sensitive_and_a_name_without_a_value_stays_visible():
    assert text_of("{{Name}} {{name}}", {"name": "x"}) == "{{Name}} x"


def test_plain_text_keeps_white_space():
    assert text_of(" {{a}}\n", {"a": " x\t\ny "}) == "  x\t\ny \n"


def test_a_template_parameter_is_one_line_its_own_text_included():
    rendered = render(
        template(
            header="A {{v}}",
            body={"fixed": " two\nlines ", "own": "to  {{v}}"},
            copy_code={"index": 0, "code": "{{v}}"},
        ),
        {"v": "\r\n a\u2028b \t"},
    ).message
    dumped = rendered.model_dump()
    assert dumped["header"]["text"] == "A a b"
    assert dumped["body"] == {"fixed": "two lines", "own": "to a b"}
    assert dumped["copy_code"]["code"] == "a b"


@pytest.mark.parametrize(
    ("written", "value", "sent"),
    [
        ("https://x.example/{{v}}", "a/b c?&", "https://x.example/a%2Fb%20c%3F%26"),
        ("{{v}}", "https://x.example/a?b=c d", "https://x.example/a?b=c d"),
        (" {{ v }} ", " https://x.example/ ", "https://x.example/"),
        ("{{v}}/", "https://x.example", "https%3A%2F%2Fx.example/"),
        ("https://x.example/?q=1 2", "", "https://x.example/?q=1 2"),
    ],
)
def test_a_value_in_a_link_is_percent_encoded_unless_it_is_the_link(
    written: str, value: str, sent: str
):
    cta = node({"type": "cta_url", "body": "b", "label": "l", "url": written})
    image = node({"type": "image", "link": written})
    header = template(header={"type": "image", "link": written})
    for message, path in ((cta, "url"), (image, "link"), (header, "header")):
        found = render(message, {"v": value}).message.model_dump()[path]
        assert (found["link"] if isinstance(found, dict) else found) == sent


@pytest.mark.parametrize(
    ("written", "value", "sent"),
    [
        ("p/{{v}}", " a\n b/c ", "p/a%20b%2Fc"),
        ("{{v}}", "p/1?x=y", "p/1?x=y"),
        ("{{v}}", " p\n1 ", "p 1"),
    ],
)
def test_the_end_of_a_url_button_is_a_parameter_and_part_of_a_url(
    written: str, value: str, sent: str
):
    rendered = render(template(url_buttons=[{"index": 0, "text": written}]), {"v": value})
    assert rendered.message.model_dump()["url_buttons"][0]["text"] == sent


@given(st.text())
def test_an_encoded_value_reads_back_as_given(value: str):
    cta = node(
        {"type": "cta_url", "body": "b", "label": "l", "url": "https://x.example/?q={{v}}&z"}
    )
    url = render(cta, {"v": value}).message.model_dump()["url"]
    encoded = url.removeprefix("https://x.example/?q=").removesuffix("&z")
    assert unquote(encoded) == value
    assert not set(encoded) & set("/?&#=+ {}")


def test_half_an_emoji_in_a_link_does_not_break_the_send():
    assert (
        "%3F"
        in render(
            node({"type": "image", "link": "https://x.example/{{v}}"}), {"v": "\ud83d"}
        ).message.model_dump()["link"]
    )


@given(
    st.lists(
        st.one_of(st.text(alphabet="ab{} \n"), st.sampled_from(["{{v}}", "{{ w }}", "{{ v}}"]))
    )
)
def test_no_declared_placeholder_is_left_anywhere(pieces: list[str]):
    text = "".join(pieces)
    values = {"v": "1", "w": "2"}
    assert not set(values) & set(placeholders(text_of(text, values)))


def test_one_node_serves_many_customers():
    message = template(body=["{{v}}"])
    bodies = [render(message, {"v": str(i)}).message.model_dump()["body"] for i in range(3)]
    assert bodies == [("0",), ("1",), ("2",)]


def test_plans_are_kept_for_a_bounded_number_of_nodes_and_made_again_beyond_it():
    nodes = [node({"type": "text", "body": f"{i} {{{{v}}}}"}) for i in range(4200)]
    for _ in range(2):
        assert [preview_text(render(n, {"v": "x"})) for n in nodes] == [
            f"{i} x" for i in range(4200)
        ]


# --- what became of it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"body": ["a", "{{v}}"]}, "message.body.1"),
        ({"body": {"first": "{{v}}"}}, "message.body.first"),
        ({"header": "{{v}}"}, "message.header.text"),
        ({"header": {"type": "image", "link": "{{v}}"}}, "message.header.link"),
        ({"header": {"type": "image", "id": "{{v}}"}}, "message.header.id"),
        (
            {"header": {"type": "location", "latitude": 1, "longitude": "{{v}}"}},
            "message.header.longitude",
        ),
        ({"url_buttons": [{"index": 0, "text": "{{v}}"}]}, "message.url_buttons.0.text"),
        ({"copy_code": {"index": 0, "code": "{{v}}"}}, "message.copy_code.code"),
    ],
)
def test_a_template_parameter_that_comes_out_blank_is_named(fields: dict[str, Any], path: str):
    message = template(**fields)
    assert empty_parameter(render(message, {"v": " "})) == path
    assert empty_parameter(render(message, {"v": "x"})) is None


def test_only_templates_have_parameters():
    assert empty_parameter(node({"type": "text", "body": ""})) is None


@pytest.mark.parametrize(
    ("message", "body", "text"),
    [
        (template(body=["Ana", "x"], preview="Hi {{1}}, {{ 2 }}: {{3}}"), None, "Hi Ana, x: {{3}}"),
        (template(body=["Ana"], preview="no"), "Dear {{1}}", "Dear Ana"),
        (template(body={"name": "Ana"}, preview="Hi {{name}}"), None, "Hi Ana"),
        (template(body=["Ana", "x"]), None, "sale Ana x"),
        (template(body=["{{2}}", "x"], preview="{{1}}"), None, "{{2}}"),
        (node({"type": "text", "body": "T"}), None, "T"),
        (node({"type": "buttons", "body": "B"}), None, "B"),
        (node({"type": "image", "link": "l", "caption": "C"}), None, "C"),
        (node({"type": "document", "link": "l", "filename": "a.pdf"}), None, "a.pdf"),
        (node({"type": "audio", "link": "l"}), None, "[audio]"),
        (node({"type": "location", "latitude": 1.5, "longitude": 2.5}), None, "1.5, 2.5"),
        (node({"type": "location", "latitude": 1.5, "longitude": 2.5, "name": "N"}), None, "N"),
    ],
)
def test_the_preview_is_what_a_person_reads(message: MessageNode, body: str | None, text: str):
    assert preview_text(message, body) == text
