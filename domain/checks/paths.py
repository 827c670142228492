"""Checks of what lies behind a node on the paths to it: messages, clicks, and time.

No path is ever walked by itself, since there can be exponentially many. What is known of all paths
to a node is gathered over the graph's strongly connected components in topological order, so
each edge is looked at a fixed number of times.
"""

import heapq
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

from domain.checks.graph import Cause, Edge, FlowGraph, components
from domain.checks.report import Report
from domain.flow import DelayNode, Flow, MessageNode
from domain.message_types import TemplateMessage
from domain.templates import Template, TemplateRegistry

SERVICE_WINDOW: Final = timedelta(hours=24)
"""How long free-form messages may follow a click or a reply (reference/whatsapp.md section 6)."""
MARKETING_GAP: Final = timedelta(minutes=1)


# --- delays ------------------------------------------------------------------------------------


class _Owners(NamedTuple):
    """The messages a delay may belong to (flow.md 2.4)."""

    sent: list[str]
    """Sent last on a path to it."""
    clicked: list[str]
    """Nothing was sent on a path since a tap on this one."""


def check_delays(graph: FlowGraph, templates: TemplateRegistry | None, report: Report) -> None:
    """Every delay has its message, and its condition can come to something."""
    _check_message_before(graph, report)
    owners = _owners(graph)
    for name in graph.reachable:
        node = graph.flow.nodes[name]
        if isinstance(node, DelayNode) and node.condition == "no_click":
            _check_no_click(graph.flow, name, owners[name], templates, report)
    warned: dict[str, None] = {}
    for edge in graph.reached_edges():
        if edge.target not in warned and _gives_both(graph.flow, edge):
            warned[edge.target] = None
            said = f"customers who tap a button of `{edge.source}` may get this way on too: use no_click for one of both"
            report.add("ALL_AFTER_BUTTONS", "condition", said, node=edge.target)


def _gives_both(flow: Flow, edge: Edge) -> bool:
    source, target = flow.nodes[edge.source], flow.nodes[edge.target]
    return (
        isinstance(source, MessageNode)
        and edge.cause is Cause.FLOW
        and isinstance(target, DelayNode)
        and target.condition == "all"
        and any(button.next is not None for button in source.buttons)
    )


def _check_message_before(graph: FlowGraph, report: Report) -> None:
    """Report the first delay of every path that sends nothing before it."""
    queue = graph.reachable[:1]
    seen = dict.fromkeys(queue)
    for name in queue:
        node = graph.flow.nodes[name]
        if isinstance(node, DelayNode):
            said = "a delay belongs to the message before it: send one first on every path to here"
            report.add("DELAY_WITHOUT_MESSAGE", "", said, node=name)
        elif not isinstance(node, MessageNode):
            fresh = dict.fromkeys(e.target for e in graph.edges[name] if e.target not in seen)
            seen.update(fresh)
            queue.extend(fresh)


def _owners(graph: FlowGraph) -> dict[str, _Owners]:
    """The owners of every reachable delay.

    A set of messages is the bits of one int: thousands of unions cost next to nothing.
    """
    nodes = graph.flow.nodes
    messages = [name for name in graph.reachable if isinstance(nodes[name], MessageNode)]
    facts = dict.fromkeys(graph.reachable, 0)
    for i, name in enumerate(messages):
        for edge in graph.edges[name]:
            facts[edge.target] |= 1 << (2 * i + (edge.cause is Cause.CLICK))

    def passed_on(name: str) -> list[str]:
        if isinstance(nodes[name], MessageNode):
            return []  # what it sends takes the place of all before
        return [edge.target for edge in graph.edges[name]]

    for members in reversed(components(graph.reachable, passed_on)):
        together = 0
        for name in members:
            together |= facts[name]
        for name in members:
            facts[name] = together
            for target in passed_on(name):
                facts[target] |= together
    return {
        name: _Owners(
            [message for i, message in enumerate(messages) if facts[name] >> (2 * i) & 1],
            [message for i, message in enumerate(messages) if facts[name] >> (2 * i + 1) & 1],
        )
        for name in graph.reachable
        if isinstance(nodes[name], DelayNode)
    }


def _check_no_click(
    flow: Flow, delay: str, owners: _Owners, templates: TemplateRegistry | None, report: Report
) -> None:
    for message in owners.sent:
        node = flow.nodes[message]
        # Interactive messages without buttons are an error of their own.
        if (
            isinstance(node, MessageNode)
            and not node.buttons
            and node.message.type not in {"buttons", "list"}
        ):
            said = f"`{message}` has nothing to tap: give it buttons, or wait for `all` or `no_response`"
            report.add("NO_CLICK_WITHOUT_BUTTONS", "condition", said, node=delay)
            break
    if owners.clicked:
        said = f"a tap on `{owners.clicked[0]}` leads here, so it can never count as not tapped: send a message between, or wait for `all`"
        report.add("NO_CLICK_AFTER_CLICK", "condition", said, node=delay)
    for message in owners.sent:
        if _has_url_buttons(flow, message, templates):
            said = f"WhatsApp does not report taps on the URL buttons of `{message}`: they count as no click"
            report.add("NO_CLICK_URL_BUTTONS", "condition", said, node=delay)
            break


def _has_url_buttons(flow: Flow, name: str, templates: TemplateRegistry | None) -> bool:
    node = flow.nodes[name]
    if not isinstance(node, MessageNode) or not isinstance(node.message, TemplateMessage):
        return False
    if not node.buttons:
        return False  # without quick replies `no_click` is an error already
    known = _registered(node.message, templates)
    in_template = known is not None and any(button.kind == "URL" for button in known.buttons)
    return bool(node.message.url_buttons) or in_template


def _registered(message: TemplateMessage, templates: TemplateRegistry | None) -> Template | None:
    return None if templates is None else templates.get(message.name, message.language)


# --- the customer-service window ---------------------------------------------------------------


def check_service_window(graph: FlowGraph, report: Report) -> None:
    """Free-form messages only where a click or reply is less than 24 hours old on every path."""
    silence = _longest_silence(graph)
    for name in graph.reachable:
        node = graph.flow.nodes[name]
        if not isinstance(node, MessageNode) or isinstance(node.message, TemplateMessage):
            continue
        if silence[name] >= SERVICE_WINDOW:
            said = "the customer may not have tapped or written for 24 hours here: send a template"
            report.add("WINDOW_CLOSED", "message.type", said, node=name)


def _longest_silence(graph: FlowGraph) -> dict[str, timedelta]:
    """The longest time since a click or reply over all paths to a node; 24 hours stands for more.

    A cycle that adds time can be walked until a day is over, so it counts as a whole day.
    """
    longest = dict.fromkeys(graph.reachable, timedelta(0))
    for start in graph.reachable[:1]:
        longest[start] = SERVICE_WINDOW  # nobody has tapped or written yet

    def silent(name: str) -> list[Edge]:
        answers = (Cause.CLICK, Cause.REPLY)
        return [edge for edge in graph.edges[name] if edge.cause not in answers]

    def onward(name: str) -> list[str]:
        return [edge.target for edge in silent(name)]

    for members in reversed(components(graph.reachable, onward)):
        inside = dict.fromkeys(members)
        edges = [edge for name in members for edge in silent(name)]
        grows = any(edge.target in inside and edge.wait > timedelta(0) for edge in edges)
        together = SERVICE_WINDOW if grows else max(longest[name] for name in members)
        longest.update(dict.fromkeys(members, together))
        for edge in edges:
            if edge.target not in inside:
                after = min(SERVICE_WINDOW, together + edge.wait)
                longest[edge.target] = max(longest[edge.target], after)
    return longest


# --- marketing in a row ------------------------------------------------------------------------


def check_marketing_pace(
    graph: FlowGraph, templates: TemplateRegistry | None, report: Report
) -> None:
    """Warn where one path sends two marketing templates within a minute (see flow.md 2.8).

    Whoever taps or answers in between has asked for more, so a click and a reply count as a pause.
    """
    marketing = {
        name: None for name in graph.reachable if _is_marketing(graph.flow, name, templates)
    }
    pause = _shortest_pause(graph, marketing.__contains__)
    for name in marketing:
        if name in pause:
            said = "a marketing template may come here less than a minute after another: put a delay between"
            report.add("MARKETING_TOO_CLOSE", "message.name", said, node=name)


def _is_marketing(flow: Flow, name: str, templates: TemplateRegistry | None) -> bool:
    node = flow.nodes[name]
    if not isinstance(node, MessageNode) or not isinstance(node.message, TemplateMessage):
        return False
    known = _registered(node.message, templates)
    category = "" if known is None else known.category
    return (category or node.message.category) == "marketing"


def _shortest_pause(graph: FlowGraph, starts: Callable[[str], bool]) -> dict[str, timedelta]:
    """The shortest time from a message of `starts` to each node, where less than a minute."""
    pending = [
        (edge.wait, edge.target)
        for name in graph.reachable
        if starts(name)
        for edge in graph.edges[name]
        if edge.cause is Cause.FLOW
    ]
    heapq.heapify(pending)
    shortest: dict[str, timedelta] = {}
    while pending:
        after, name = heapq.heappop(pending)
        if name in shortest:
            continue
        shortest[name] = after
        if starts(name):
            continue  # its own pause begins anew
        for edge in graph.edges[name]:
            later = after + edge.wait
            if edge.cause in {Cause.FLOW, Cause.TIME} and later < MARKETING_GAP:
                heapq.heappush(pending, (later, edge.target))
    return shortest
