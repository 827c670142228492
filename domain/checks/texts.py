"""Checks of variables: what texts and branches name, against what the flow declares."""

from collections.abc import Iterator

from domain.checks.report import Report
from domain.document import Document
from domain.flow import BranchNode, Flow, MessageNode
from domain.message_types import TemplateMessage
from domain.rendering import placeholders

_NEVER_FILLED = frozenset({"type", "preview", "language", "category"})
"""Fields of messages that `domain.rendering` leaves alone, beside a template's name."""


def check_variables(flow: Flow, report: Report) -> None:
    """Every name in use is declared, and every declared name in use."""
    asked = dict.fromkeys(flow.ask_variables())
    known = [*flow.variables, *asked]
    is_known = dict.fromkeys(known)
    used: dict[str, None] = {}
    for node, path, name in uses(flow):
        used[name] = None
        if name not in is_known:
            meant = report.closest("variable", name, known)
            fix = f"declare `{name}` in `variables`"
            said = fix if meant is None else f"write `{meant}`, or {fix}"
            report.add("UNDECLARED_VARIABLE", path, said, node=node)
    for name in flow.variables:
        # One that an ask fills is the business's to read in the report.
        if name not in used and name not in asked:
            said = "no text and no branch uses this variable: use it, or remove it"
            report.add("UNUSED_VARIABLE", f"variables.{name}", said)


def uses(flow: Flow) -> Iterator[tuple[str, str, str]]:
    """Every use of a variable as (node, path below it, name), each name once per field."""
    for node_id, node in flow.nodes.items():
        match node:
            case MessageNode():
                for path, text in texts(node):
                    for name in dict.fromkeys(placeholders(text)):
                        yield node_id, path, name
            case BranchNode(cases=cases):
                for i, case in enumerate(cases):
                    yield node_id, f"cases.{i}.variable", case.variable


def texts(node: MessageNode) -> Iterator[tuple[str, str]]:
    """Every text of a message that may hold variables, as (path below the node, text)."""
    yield from _texts("message", node.message)
    for i, button in enumerate(node.buttons):
        for field in ("label", "description", "section"):
            yield from _texts(f"buttons.{i}.{field}", getattr(button, field))


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            if "{{" in value:
                yield path, value
        case Document():
            for field in type(value).model_fields:
                is_name = field == "name" and isinstance(value, TemplateMessage)
                if field not in _NEVER_FILLED and not is_name:
                    yield from _texts(f"{path}.{field}", getattr(value, field))
        case dict():
            for key, item in value.items():
                yield from _texts(f"{path}.{key}", item)
        case tuple():
            for i, item in enumerate(value):
                yield from _texts(f"{path}.{i}", item)
