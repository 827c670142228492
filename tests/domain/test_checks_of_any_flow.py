"""The checks of whatever flow may be drawn, beside a naive judge of its 24-hour windows."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checks import CODES, check
from domain.checks.texts import texts
from domain.flow import Flow, MessageNode
from domain.rendering import placeholders, render, values_for
from domain.shape import read_flow
from tests.domain.golden import approved

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


@settings(max_examples=300)
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


@settings(max_examples=200)
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


# --- a naive judge for the 24-hour window ------------------------------------------------------


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


@settings(max_examples=300)
@given(st.dictionaries(IDS, TIMED, min_size=1, max_size=7), IDS)
def test_window_is_judged_as_by_walking_every_path(nodes, start):
    flow = read_flow({"format": 1, "start": start, "nodes": nodes})
    told = {i.path.split(".")[1] for i in check(flow) if i.code == "WINDOW_CLOSED"}
    assert told == late_by_walking(flow)
