import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks import CODES, MOST_NODES, check
from domain.checks.texts import texts
from domain.flow import Flow, MessageNode
from domain.rendering import placeholders, render, values_for
from domain.shape import read_flow
from domain.templates import TemplateRegistry, flow_templates, template_components
from tests.domain.golden import golden_cases, golden_codes

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


def approved(flow: Flow) -> TemplateRegistry:
    return TemplateRegistry.from_graph(
        [{**template, "status": "APPROVED"} for template in flow_templates(flow)]
    )


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


# --- any graph ---------------------------------------------------------------------------------

IDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "lost"])
NEXT = st.none() | IDS
TEXT = st.sampled_from(["", "Hi", "{{v}}", "{{w}} {{u}}", "x" * 30, "https://example.com/{{v}}"])
DURATION = st.sampled_from(["PT1S", "PT30S", "PT20H", "P2D"])
BUTTONS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from("xyz"), "label": TEXT, "next": NEXT},
        optional={"index": st.integers(0, 9), "section": TEXT, "optOut": st.booleans()},
    ),
    max_size=4,
)


def of_type(kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


MESSAGES = st.one_of(
    of_type(
        "template",
        name=st.sampled_from(["one", "two"]),
        language=st.just("en"),
        category=st.sampled_from(["marketing", "utility"]),
        body=st.lists(TEXT, max_size=2) | st.dictionaries(TEXT, TEXT, max_size=2),
        url_buttons=st.lists(of_type("x", index=st.integers(0, 9), text=TEXT), max_size=3).map(
            lambda buttons: [{k: v for k, v in b.items() if k != "type"} for b in buttons]
        ),
    ),
    of_type("text", body=TEXT),
    of_type("image", link=TEXT),
    of_type(
        "location", latitude=TEXT | st.floats(allow_nan=False, allow_infinity=False), longitude=TEXT
    ),
    of_type("buttons", body=TEXT, footer=TEXT),
    of_type("list", body=TEXT, menu=TEXT, header=TEXT),
    of_type("cta_url", body=TEXT, label=TEXT, url=TEXT),
)
NODES = st.one_of(
    of_type("message", message=MESSAGES, buttons=BUTTONS, next=NEXT),
    of_type(
        "delay",
        duration=DURATION,
        condition=st.sampled_from(["all", "no_click", "no_response"]),
        next=NEXT,
    ),
    of_type(
        "ask", variable=st.sampled_from(["v", "w"]), timeout=DURATION, next=NEXT, on_timeout=NEXT
    ),
    of_type(
        "split",
        paths=st.lists(
            st.fixed_dictionaries({"weight": st.integers(1, 3), "next": NEXT}),
            min_size=1,
            max_size=3,
        ),
    ),
    of_type(
        "branch",
        cases=st.lists(
            st.fixed_dictionaries(
                {
                    "variable": st.sampled_from(["v", "u"]),
                    "op": st.just("eq"),
                    "value": TEXT,
                    "next": NEXT,
                }
            ),
            min_size=1,
            max_size=3,
        ),
        otherwise=NEXT,
    ),
)
FLOWS = st.fixed_dictionaries(
    {
        "format": st.just(1),
        "start": IDS,
        "variables": st.dictionaries(st.sampled_from(["v", "w"]), st.just({}), max_size=2),
        "nodes": st.dictionaries(IDS, NODES, min_size=1, max_size=6),
    }
)


@settings(max_examples=300, deadline=None)
@given(FLOWS)
def test_check_judges_any_flow(document):
    flow = read_flow(document)
    issues = check(flow, templates=approved(flow), tested=False)

    assert issues == check(flow, templates=approved(flow), tested=False)
    assert len({(i.code, i.path, i.message) for i in issues}) == len(issues)
    severities = [i.severity for i in issues]
    assert severities == sorted(severities)  # "error" sorts before "warning"
    for issue in issues:
        assert issue.severity == CODES[issue.code].severity
        assert issue.message


@settings(max_examples=200, deadline=None)
@given(FLOWS)
def test_without_undeclared_variables_every_placeholder_gets_its_value(document):
    flow = read_flow(document)
    if any(issue.code == "UNDECLARED_VARIABLE" for issue in check(flow)):
        return
    values = values_for(flow, {}, {})
    for one in flow.nodes.values():
        if isinstance(one, MessageNode):
            rendered = render(one, values)
            assert not [n for _, text in texts(rendered) for n in placeholders(text)]


# --- a naive judge for the 24-hour window -------------------------------------------------------


def late_by_walking(flow: Flow) -> set[str]:
    """Free-form messages found too late by walking on until nothing new is seen."""
    day = 24 * 3600.0
    seen: set[tuple[str, float]] = set()
    late: set[str] = set()
    todo = [(flow.start, day)] if flow.start in flow.nodes else []
    while todo:
        name, silence = todo.pop()
        if (name, silence) in seen:
            continue
        seen.add((name, silence))
        one = flow.nodes[name]
        ways: list[tuple[str | None, float]]
        match one.type:
            case "message":
                if one.message.type != "template" and silence >= day:
                    late.add(name)
                ways = [(one.next, silence), *((b.next, 0) for b in one.buttons)]
            case "delay":
                ways = [(one.next, silence + one.duration.total_seconds())]
            case "ask":
                ways = [(one.next, 0), (one.on_timeout, silence + one.timeout.total_seconds())]
            case "branch":
                ways = [(one.otherwise, silence), *((c.next, silence) for c in one.cases)]
            case _:
                ways = [(path.next, silence) for path in one.paths]
        todo += [(to, min(day, s)) for to, s in ways if to is not None and to in flow.nodes]
    return late


HOURS = st.sampled_from(["PT4H", "PT8H", "PT20H"])
TIMED = st.one_of(
    of_type("message", message=of_type("text", body=st.just("Hi")), next=NEXT, buttons=BUTTONS),
    of_type(
        "message",
        message=of_type(
            "template", name=st.just("t"), language=st.just("en"), category=st.just("utility")
        ),
        buttons=BUTTONS,
        next=NEXT,
    ),
    of_type("delay", duration=HOURS, condition=st.just("all"), next=NEXT),
    of_type("ask", variable=st.just("v"), timeout=HOURS, next=NEXT, on_timeout=NEXT),
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(IDS, TIMED, min_size=1, max_size=7), IDS)
def test_window_is_judged_as_by_walking_every_path(nodes, start):
    flow = read_flow({"format": 1, "start": start, "nodes": nodes})
    told = {i.path.split(".")[1] for i in check(flow) if i.code == "WINDOW_CLOSED"}
    assert told == late_by_walking(flow)


# --- large graphs ------------------------------------------------------------------------------


def test_a_dense_graph_of_a_thousand_nodes_is_judged_in_seconds():
    ids = [f"n{i}" for i in range(MOST_NODES)]
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
    flow = read_flow({"format": 1, "start": "n0", "variables": {"v": {}}, "nodes": nodes})

    began = time.perf_counter()
    check(flow)
    assert time.perf_counter() - began < 10
