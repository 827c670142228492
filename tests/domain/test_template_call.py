"""Template calls: their parameters as the variables of a shared flow, or of a campaign's."""

from typing import Any

import pytest

from domain.checks import check
from domain.flow import Flow
from domain.one_message import OneMessage
from domain.shape import read_flow
from domain.start_binding import bound_variables
from domain.template_call import InputInvalid, Parameter, template_message
from domain.templates import Template, TemplateRegistry


def registered(*components: dict[str, Any], **more: Any) -> Template:
    """The template `sale` with a body of two variables, unless another is given."""
    body = {"type": "BODY", "text": "Hello {{1}}, {{2}}"}
    parts = components if any(c["type"] == "BODY" for c in components) else (*components, body)
    definition = {
        "name": "sale",
        "language": "en",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": list(parts),
    } | more
    template = TemplateRegistry.from_graph([definition]).get("sale", "en")
    assert template is not None
    return template


def buttons(*kinds: str) -> dict[str, Any]:
    made = []
    for i, kind in enumerate(kinds):
        button = {"type": kind.removesuffix("+"), "text": f"Button {i}"}
        if button["type"] == "URL":
            button["url"] = "https://shop.example/" + ("{{1}}" if kind.endswith("+") else "")
        made.append(button)
    return {"type": "BUTTONS", "buttons": made}


def given(**values: str) -> list[Parameter]:
    return [Parameter(name, value) for name, value in values.items()]


def message(template: Template | None, **values: str) -> OneMessage:
    return template_message("sale", "en", given(**values), template)


def node(made: OneMessage) -> dict[str, Any]:
    found: dict[str, Any] = made.document["nodes"]["message"]
    return found


def test_the_flow_is_the_same_whatever_the_parameters_say():
    ana = message(registered(), body_1="Ana", body_2="today")
    eva = message(registered(), body_2="tomorrow", body_1="Eva")

    assert ana.document == eva.document
    assert (ana.variables, eva.variables) == (
        {"body_1": "Ana", "body_2": "today"},
        {"body_1": "Eva", "body_2": "tomorrow"},
    )
    assert node(ana)["message"] == {
        "type": "template",
        "name": "sale",
        "language": "en",
        "category": "utility",
        "body": ["{{body_1}}", "{{body_2}}"],
        "preview": "Hello {{1}}, {{2}}",
    }


@pytest.mark.parametrize(
    "template",
    [
        registered(),
        registered({"type": "HEADER", "format": "DOCUMENT"}),
        registered({"type": "HEADER", "format": "TEXT", "text": "For {{1}}"}),
        registered({"type": "HEADER", "format": "TEXT", "text": "Always the same"}),
        registered({"type": "BODY", "text": "{{first}} and {{second}}"}),
        registered({"type": "BODY", "text": "Nothing to fill in"}),
        registered(buttons("QUICK_REPLY", "URL+", "URL", "PHONE_NUMBER")),
        registered(buttons("URL+", "URL+", "QUICK_REPLY", "QUICK_REPLY")),
    ],
    ids=lambda template: str(template.header or template.body_parameters or template.buttons)[:40],
)
def test_the_flow_of_every_template_passes_the_checks_for_publishing(template: Template):
    """Named parameters, and those of header and buttons, by the names the documents give them."""
    names = ["header_document"] if template.header == "document" else []
    names += ["header_text"] if template.header_parameters else []
    names += [f"body_{n}" if n.isdecimal() else n for n in template.body_parameters]
    names += [
        f"button_{number}_url"
        for number, url in enumerate((b for b in template.buttons if b.kind == "URL"), start=1)
        if url.needs_text
    ]

    made = message(template, **dict.fromkeys(names, "https://shop.example/x"))

    assert made.variables.keys() == set(names)
    registry = TemplateRegistry({("sale", "en"): template})
    issues = check(read_flow(made.document), templates=registry, tested=True)
    assert [issue for issue in issues if issue.severity == "error"] == []


@pytest.mark.parametrize(
    ("kinds", "name", "index"),
    [
        (("URL+",), "button_1_url", 0),
        (("QUICK_REPLY", "URL+"), "button_1_url", 1),
        (("QUICK_REPLY", "URL+"), "button_2_url", 1),
        (("URL", "URL+"), "button_2_url", 1),
        (("QUICK_REPLY", "QUICK_REPLY", "URL", "URL+"), "button_2_url", 3),
        (("QUICK_REPLY", "QUICK_REPLY", "URL", "URL+"), "button_4_url", 3),
    ],
)
def test_a_url_buttons_number_counts_the_url_buttons_or_all(
    kinds: tuple[str, ...], name: str, index: int
):
    template = registered({"type": "BODY", "text": "Look"}, buttons(*kinds))

    made = message(template, **{name: "4711"})

    assert node(made)["message"]["url_buttons"] == [{"index": index, "text": "{{" + name + "}}"}]


def test_quick_replies_are_numbered_at_their_places():
    made = message(
        registered({"type": "BODY", "text": "Look"}, buttons("URL", "QUICK_REPLY", "QUICK_REPLY"))
    )

    assert node(made)["buttons"] == [
        {"id": "1", "label": "Button 1", "index": 1},
        {"id": "2", "label": "Button 2", "index": 2},
    ]


def test_a_document_keeps_its_file_name():
    template = registered(
        {"type": "BODY", "text": "Look"}, {"type": "HEADER", "format": "DOCUMENT"}
    )
    link = Parameter("header_document", "https://shop.example/a.pdf", "invoice.pdf")

    made = template_message("sale", "en", [link], template)

    assert node(made)["message"]["header"]["filename"] == "{{header_filename}}"
    assert made.variables["header_filename"] == "invoice.pdf"


def test_a_template_nobody_knows_takes_the_names_at_their_word_and_is_marketing():
    made = message(None, body_1="Ana", header_image="https://shop.example/a.jpg", button_2_url="x")

    shown = node(made)["message"]
    assert shown["category"] == "marketing"
    assert shown["header"] == {"type": "image", "link": "{{header_image}}"}
    assert shown["body"] == ["{{body_1}}"]
    assert shown["url_buttons"] == [{"index": 1, "text": "{{button_2_url}}"}]


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        (registered(), {"body_1": "Ana"}, "`body_2` is missing"),
        (registered(), {"body_1": "a", "body_2": "b", "header_text": "c"}, "`header_text`"),
        (registered({"type": "HEADER", "format": "LOCATION"}), {}, "location header"),
        (registered(buttons("COPY_CODE")), {"body_1": "a", "body_2": "b"}, "copy-code"),
        (None, {"body_1": "a", "body_3": "b"}, "without gaps"),
        (None, {"header_text": "a", "header_image": "b"}, "one header"),
    ],
)
def test_parameters_that_do_not_fit_are_named(
    template: Template | None, values: dict[str, str], said: str
):
    with pytest.raises(InputInvalid, match=said):
        message(template, **values)


# --- campaigns -----------------------------------------------------------------------------------


def flow(**message: Any) -> Flow:
    """A flow that starts with the template `sale`."""
    start = {
        "type": "template",
        "name": "sale",
        "language": "en",
        "category": "marketing",
    } | message
    names = ("a", "b")
    return read_flow(
        {
            "format": 1,
            "start": "hello",
            "variables": {name: {"default": "?"} for name in names},
            "nodes": {"hello": {"type": "message", "message": start}},
        }
    )


@pytest.mark.parametrize(
    ("start", "values", "bound"),
    [
        ({"body": ["{{a}}", "{{b}}"]}, {"body_1": "Ana", "body_2": "x"}, {"a": "Ana", "b": "x"}),
        ({"body": ["Dear {{ a }}!"]}, {"body_1": "Dear  Ana!"}, {"a": "Ana"}),
        ({"body": ["Hello"]}, {"body_1": "Hello"}, {}),
        ({"body": {"who": "{{a}}"}}, {"who": "Ana"}, {"a": "Ana"}),
        ({"body": ["{{a}}", "{{a}} {{b}}"]}, {"body_1": "x", "body_2": "x ?"}, {"a": "x"}),
        (
            {"header": {"type": "image", "link": "https://cdn.example/{{a}}.jpg"}},
            {"header_image": "https://cdn.example/An%20a.jpg"},
            {"a": "An a"},
        ),
        (
            {"header": {"type": "image", "link": "{{a}}"}},
            {"header_image": "https://cdn.example/a b.jpg"},
            {"a": "https://cdn.example/a b.jpg"},
        ),
        ({"url_buttons": [{"index": 1, "text": "{{b}}"}]}, {"button_1_url": "x/y"}, {"b": "x/y"}),
    ],
)
def test_parameters_are_read_back_into_the_flows_variables(
    start: dict[str, Any], values: dict[str, str], bound: dict[str, str]
):
    assert bound_variables(flow(**start), given(**values), None) == bound


@pytest.mark.parametrize(
    ("start", "values"),
    [
        ({"body": ["Hello"]}, {"body_1": "Goodbye"}),
        ({"body": ["Dear {{a}}!"]}, {"body_1": "Ana"}),
        ({"body": ["{{a}}", "{{a}}"]}, {"body_1": "Ana", "body_2": "Eva"}),
        ({"body": ["{{a}} {{b}}"]}, {"body_1": "Ana Maria"}),
        ({"body": ["{{a}}"]}, {"body_2": "Ana"}),
        ({}, {"header_text": "Ana"}),
    ],
)
def test_what_the_start_message_cannot_say_is_refused(
    start: dict[str, Any], values: dict[str, str]
):
    with pytest.raises(InputInvalid, match="parameter"):
        bound_variables(flow(**start), given(**values), None)
