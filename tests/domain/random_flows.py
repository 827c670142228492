"""Random flows that may be published, for the properties of the engine."""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from domain.checks import check
from domain.flow import Flow
from domain.shape import read_flow

VARIABLE = "tier"
VALUES = ("", "1", "5", "gold")
_DURATIONS = ("PT1H", "PT4H", "PT20H")
"""Hours, since on the real system some of the time passes by itself."""
_KINDS = ("message", "delay", "delay", "ask", "message", "branch", "split")
_BUTTONS = ("yes", "no", "more")


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """A flow without errors: every node is reachable, and every loop holds a message.

    (A loop of delays alone may be published too, but is never over.)
    """
    names = [f"n{i}" for i in range(draw(st.integers(2, 8)))]
    kinds = ["message", *(draw(st.sampled_from(_KINDS)) for _ in names[1:])]
    nodes = {name: _node(draw, names, kinds, at) for at, name in enumerate(names)}
    document: dict[str, Any] = {
        "format": 1,
        "start": "n0",
        "variables": {VARIABLE: {"default": "1"}},
        "nodes": {name: nodes[name] for name in names if name in _reached(nodes)},
    }
    for issue in check(read_flow(document)):
        at = issue.path.split(".")
        if issue.severity == "error" and document["nodes"][at[1]]["type"] == "delay":
            document["nodes"][at[1]]["condition"] = "all"
    flow = read_flow(document)
    assume(not [issue for issue in check(flow) if issue.severity == "error"])
    return flow


def _node(draw: st.DrawFn, names: list[str], kinds: list[str], at: int) -> dict[str, Any]:
    messages = [name for name, kind in zip(names, kinds, strict=True) if kind == "message"]
    later = names[at + 1 :]
    onward = st.sampled_from([*later, *later, None])
    anywhere = st.sampled_from([*later, None, *messages])
    kind = kinds[at]
    match kind:
        case "message":
            chosen = _BUTTONS[: draw(st.integers(0, 3))]
            buttons = [{"id": b, "label": b.title(), "next": draw(anywhere)} for b in chosen]
            template = {"type": "template", "name": names[at], "language": "en"}
            message = {**template, "category": "utility"}
            return {"type": kind, "message": message, "buttons": buttons, "next": draw(onward)}
        case "delay":
            condition = draw(st.sampled_from(["all", "no_click", "no_response"]))
            duration = draw(st.sampled_from(_DURATIONS))
            return {"type": kind, "duration": duration, "condition": condition} | {
                "next": draw(anywhere)
            }
        case "ask":
            timeout = draw(st.sampled_from(_DURATIONS))
            ways = {"next": draw(anywhere), "on_timeout": draw(anywhere)}
            return {"type": kind, "variable": f"said_{names[at]}", "timeout": timeout, **ways}
        case "branch":
            case = {"variable": VARIABLE, "op": "gt", "value": 2, "next": draw(onward)}
            return {"type": kind, "cases": [case], "otherwise": draw(onward)}
        case _:
            return {"type": kind, "paths": [{"weight": w, "next": draw(onward)} for w in (1, 2)]}


def _reached(nodes: dict[str, Any]) -> set[str]:
    """The names that the start leads to."""
    reached, waiting = set[str](), ["n0"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            node = nodes[name]
            ways = [node, *node.get("buttons", []), *node.get("cases", []), *node.get("paths", [])]
            found = [way.get(key) for way in ways for key in ("next", "otherwise", "on_timeout")]
            waiting += [target for target in found if target is not None]
    return reached
