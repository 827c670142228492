"""Checks of how the nodes hang together: targets, unreachable nodes, cycles that never rest."""

from domain.checks.graph import Cause, FlowGraph, components
from domain.checks.report import Report
from domain.flow import LONGEST_DELAY, AskNode, DelayNode


def check_targets(graph: FlowGraph, report: Report) -> None:
    """Unknown targets, then the nodes that nothing leads to."""
    start, nodes = graph.flow.start, graph.flow.nodes
    guessed = [start] if start in nodes else []
    if start not in nodes:
        meant = report.closest("node", start, nodes)
        report.add("UNKNOWN_TARGET", "start", f"there is no node `{start}`: {_fix(meant)}")
        guessed += [meant] if meant is not None else []
    knows_start = bool(guessed)
    for source, field, target in graph.unknown:
        meant = report.closest("node", target, nodes)
        said = (
            f"there is no node `{target}`: {_fix(meant)}, or leave this empty to end the path here"
        )
        report.add("UNKNOWN_TARGET", field, said, node=source)
        guessed += [meant] if meant is not None else []
    if knows_start:
        _check_reachable(graph, report, guessed)


def _fix(meant: str | None) -> str:
    return "name a node of this flow" if meant is None else f"write `{meant}`"


def _check_reachable(graph: FlowGraph, report: Report, starts: list[str]) -> None:
    """Report where paths are missing; what hangs on such a node would come back with it.

    A misspelt target is taken for the node it most resembles, so that one slip is one issue.
    """
    reached = dict.fromkeys(graph.reach(starts))
    lost = [node for node in graph.flow.nodes if node not in reached]
    if not lost:
        return
    places = {node: i for i, node in enumerate(graph.flow.nodes)}
    # Every component comes before those that lead to it, so whatever is led to is known in time.
    found = components(lost, lambda node: [edge.target for edge in graph.edges[node]])
    led_to: dict[str, None] = {}
    for members in reversed(found):
        if members[0] not in reached and not any(node in led_to for node in members):
            first = min(members, key=places.__getitem__)
            said = "no path leads here: let a `next` name this node, or remove it"
            report.add("UNREACHABLE_NODE", "", said, node=first)
        led_to.update((edge.target, None) for node in members for edge in graph.edges[node])


def check_loops(graph: FlowGraph, report: Report) -> None:
    """Report each knot of cycles that a run could turn in for ever, at an edge that closes it."""
    order = {node: i for i, node in enumerate(graph.reachable)}

    def straight_on(node: str) -> list[str]:
        return [edge.target for edge in graph.edges[node] if edge.cause is Cause.FLOW]

    for members in components(graph.reachable, straight_on):
        entry = min(members, key=order.__getitem__)
        closing = [
            edge
            for node in members
            for edge in graph.edges[node]
            if edge.target == entry and edge.cause is Cause.FLOW
        ]
        if closing:
            edge = max(closing, key=lambda edge: order[edge.source])
            said = f"this leads back to `{entry}` without a pause: put a delay, an ask or a button between"
            report.add("ENDLESS_LOOP", edge.field, said, node=edge.source)


def check_durations(graph: FlowGraph, report: Report) -> None:
    """Delays and asks of at most 20 hours."""
    for name, node in graph.flow.nodes.items():
        match node:
            case DelayNode(duration=duration):
                field = "duration"
            case AskNode(timeout=duration):
                field = "timeout"
            case _:
                continue
        if duration > LONGEST_DELAY:
            said = "wait at most PT20H here, and for longer put another delay behind"
            report.add("DURATION_TOO_LONG", field, said, node=name)
