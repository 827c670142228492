import json
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.checks import CODES, MOST_NODES, check
from domain.checks.texts import texts
from domain.flow import Flow, MessageNode
from domain.rendering import render
from domain.shape import read_flow
from domain.templates import TemplateRegistry, flow_templates, template_components
from tests.domain.golden import approved, golden_cases, golden_codes

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples" / "flows").glob("*.json"))


def in_a_row(nodes: int) -> dict[str, Any]:
    message = {"type": "template", "name": "hello", "language": "en", "category": "utility"}
    row = {
        f"n{i}": {"type": "message", "message": message, "next": f"n{i + 1}"} for i in range(nodes)
    }
    del row[f"n{nodes - 1}"]["next"]
    return {"format": 1, "start": "n0", "nodes": row}


def registry(listed: list[dict[str, Any]] | None) -> TemplateRegistry | None:
    return None if listed is None else TemplateRegistry.from_graph(listed)


# --- golden cases ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", golden_cases("checks"))
def test_golden(case):
    document = case["flow"]
    if "nodesInARow" in document:
        document = in_a_row(document["nodesInARow"])

    issues = check(
        read_flow(document),
        templates=registry(case.get("templates")),
        tested=case.get("tested", True),
    )

    found = [{"severity": i.severity, "code": i.code, "path": i.path} for i in issues]
    assert found == case["issues"]


def test_every_code_has_a_golden_file_that_shows_it_and_a_near_miss():
    assert golden_codes("checks") == set(CODES)
    for code in CODES:
        file = ROOT / "tests" / "golden" / "checks" / f"{code}.json"
        cases = json.loads(file.read_text(encoding="utf-8"))
        shown = [code in [issue["code"] for issue in case["issues"]] for case in cases]
        assert any(shown), code
        assert not all(shown), code


# --- the documented example, the examples -------------------------------------------------------

DOCUMENTED = {
    "format": 1,
    "start": "welcome",
    "variables": {"customername": {"required": True}, "product": {"default": "the new watch"}},
    "nodes": {
        "welcome": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "spring_sale",
                "language": "en_US",
                "category": "marketing",
                "header": {"type": "image", "link": "https://cdn.example.com/{{customername}}.jpg"},
                "body": ["{{customername}}", "{{product}}"],
                "preview": "Hi {{1}}, {{2}} is 20% off today.",
            },
            "buttons": [
                {"id": "yes", "label": "Tell me more", "next": "offer"},
                {"id": "no", "label": "Not now"},
            ],
            "next": "wait",
        },
        "wait": {"type": "delay", "duration": "PT20H", "condition": "no_click", "next": "nudge"},
        "nudge": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "spring_sale_nudge",
                "language": "en_US",
                "category": "marketing",
            },
        },
        "offer": {
            "type": "message",
            "message": {"type": "text", "body": "Great {{customername}}! Here is the offer."},
        },
    },
    "layout": {"welcome": {"x": 0, "y": 0}},
}


def test_documented_example_has_no_errors():
    flow = read_flow(DOCUMENTED)
    issues = check(flow, templates=approved(flow))
    assert [(i.severity, i.code, i.path) for i in issues] == [
        ("warning", "BUTTON_LEADS_NOWHERE", "nodes.welcome.buttons.1.next")
    ]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_publish_without_issues(file):
    flow = read_flow(json.loads(file.read_text(encoding="utf-8")))
    assert check(flow, templates=approved(flow)) == []


def test_messages_name_the_fix():
    document = {**DOCUMENTED, "start": "welcom"}
    [issue] = [i for i in check(read_flow(document)) if i.severity == "error"]
    assert "`welcome`" in issue.message


# --- templates made from flows -----------------------------------------------------------------


def node(message: dict[str, Any], *buttons: dict[str, Any]) -> MessageNode:
    return MessageNode.model_validate(
        {"type": "message", "message": message, "buttons": [*buttons]}
    )


def template(**fields: Any) -> dict[str, Any]:
    return {
        "type": "template",
        "name": "hello",
        "language": "en",
        "category": "utility",
        **fields,
    }


def test_template_is_made_as_the_flow_uses_it():
    made = template_components(
        node(
            template(
                header="Sale",
                body=["a", "b"],
                url_buttons=[{"index": 1, "text": "x"}],
                copy_code={"index": 3, "code": "SAVE"},
            ),
            {"id": "yes", "label": "Yes"},
        )
    )
    assert (made["name"], made["language"], made["category"]) == ("hello", "en", "UTILITY")
    header, body, buttons = made["components"]
    assert header == {"type": "HEADER", "format": "TEXT", "text": "{{1}}"}
    assert body == {"type": "BODY", "text": "hello {{1}} {{2}}"}
    assert [b["type"] for b in buttons["buttons"]] == [
        "QUICK_REPLY",
        "URL",
        "QUICK_REPLY",
        "COPY_CODE",
    ]


def test_named_parameters_make_a_named_template():
    made = template_components(node(template(body={"first_name": "Ana"})))
    assert made["parameter_format"] == "NAMED"
    assert made["components"] == [{"type": "BODY", "text": "hello {{first_name}}"}]


def test_preview_is_the_body():
    made = template_components(node(template(body=["Ana"], preview="Hi {{1}}!")))
    assert made["components"] == [{"type": "BODY", "text": "Hi {{1}}!"}]


def test_only_templates_have_a_definition():
    with pytest.raises(TypeError):
        template_components(node({"type": "text", "body": "Hi"}))


def test_uses_of_one_template_make_one_definition():
    def message(**fields: Any) -> dict[str, Any]:
        return {"type": "message", "message": template(**fields)}

    plain, fuller = message(body=["a"]), message(body=["a"], preview="Hi {{1}}", header="h")
    fuller["buttons"] = [{"id": "go", "label": "Go"}]
    flow = read_flow({"format": 1, "start": "a", "nodes": {"a": plain, "b": fuller, "c": plain}})
    [made] = flow_templates(flow)
    assert made == template_components(node(fuller["message"], *fuller["buttons"]))


@pytest.mark.parametrize(
    "listed",
    [
        {},
        {"name": "a"},
        {"name": 1, "language": "en"},
        {"name": "a", "language": "en", "components": "none"},
        {"name": "a", "language": "en", "components": [None, {"type": 5}, {"type": "BUTTONS"}]},
        {"name": "a", "language": "en", "components": [{"type": "HEADER"}, {"type": "BODY"}]},
        {"name": "a", "language": "en", "components": [{"type": "BUTTONS", "buttons": [1, {}]}]},
    ],
)
def test_registry_reads_whatever_graph_lists(listed):
    check(read_flow(DOCUMENTED), templates=TemplateRegistry.from_graph([listed]))


# --- the texts that may hold variables are those that get them ----------------------------------


def test_texts_are_exactly_what_rendering_fills_in():
    full = "{{v}}"
    place = {"type": "location", "latitude": full, "longitude": full, "name": full}
    header = {"type": "document", "link": full, "id": full, "filename": full}
    nodes = [
        node(
            template(
                header=header,
                body=[full],
                preview=full,
                url_buttons=[{"index": 0, "text": full}],
                copy_code={"index": 1, "code": full},
            ),
            {"id": full, "label": full, "description": full, "section": full},
        ),
        node(template(name=full, language=full, body={"x": full}, header={**place})),
        node({"type": "text", "body": full}),
        node({"type": "document", "link": full, "id": full, "caption": full, "filename": full}),
        node({**place, "address": full}),
        node({"type": "buttons", "body": full, "header": full, "footer": full}),
        node({"type": "list", "body": full, "menu": full, "header": header}),
        node({"type": "cta_url", "body": full, "label": full, "url": full}),
    ]
    for one in nodes:
        before, after = json.dumps(one.model_dump()), render(one, {"v": "1"}).model_dump_json()
        filled = before.count(full) - after.count(full)
        assert len([*texts(one)]) == filled > 0


# --- large graphs ------------------------------------------------------------------------------


def test_a_dense_graph_costs_about_what_its_arrows_cost():
    """Twice the nodes have four times the arrows; a check that walks every path would never end."""
    small, large = calls_of_a_check(MOST_NODES // 2), calls_of_a_check(MOST_NODES)
    assert large < 6 * small


def calls_of_a_check(size: int) -> int:
    """How many functions are called to check a dense graph of that many nodes."""
    flow = dense_graph(size)
    calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        check(flow)
    finally:
        sys.setprofile(None)
    return calls


def dense_graph(size: int) -> Flow:
    """Branches to every fourth node, messages and delays that lead back."""
    ids = [f"n{i}" for i in range(size)]
    case = {"variable": "v", "op": "exists", "value": True}
    nodes: dict[str, Any] = {}
    for i, name in enumerate(ids):
        if i % 3 == 0:
            nodes[name] = {"type": "branch", "cases": [{**case, "next": to} for to in ids[::4]]}
        elif i % 3 == 1:
            nodes[name] = {
                "type": "message",
                "message": template(),
                "buttons": [{"id": "b", "label": "b", "next": ids[i - 1]}],
                "next": ids[i - 1],
            }
        else:
            nodes[name] = {
                "type": "delay",
                "duration": "PT1M",
                "condition": "no_click",
                "next": ids[i - 2],
            }
    return read_flow({"format": 1, "start": "n0", "variables": {"v": {}}, "nodes": nodes})
