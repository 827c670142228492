"""The flow as a graph: where paths can go, and what may pass between two nodes."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple

from domain.flow import AskNode, DelayNode, Flow, MessageNode, exits

_NO_TIME = timedelta(0)


class Cause(Enum):
    """What moves a path along an edge."""

    FLOW = auto()
    """Nothing from outside: the path goes straight on."""
    CLICK = auto()
    REPLY = auto()
    TIME = auto()
    """A delay or an ask's timeout."""


class Edge(NamedTuple):
    """One way on, between nodes that exist."""

    source: str
    field: str
    """Its path below the source, for example `buttons.0.next`."""
    target: str
    cause: Cause
    wait: timedelta


class FlowGraph:
    """The edges of a flow and what is reachable from its start. Nothing here recurses."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.edges: dict[str, list[Edge]] = {node: [] for node in flow.nodes}
        self.unknown: list[tuple[str, str, str]] = []
        """(source, field, target) of the edges that lead nowhere."""
        for source, node in flow.nodes.items():
            for field, target in exits(node):
                if target is None:
                    continue
                if target not in flow.nodes:
                    self.unknown.append((source, field, target))
                    continue
                self.edges[source].append(_edge(flow, source, field, target))
        self.reachable = self.reach([flow.start]) if flow.start in flow.nodes else []

    def reach(self, starts: Iterable[str]) -> list[str]:
        """Every node that paths from `starts` can come to, the nearest first."""
        found = dict.fromkeys(starts)
        queue = list(found)
        for node in queue:
            for edge in self.edges[node]:
                if edge.target not in found:
                    found[edge.target] = None
                    queue.append(edge.target)
        return queue

    def reached_edges(self) -> Iterator[Edge]:
        """The edges between reachable nodes."""
        return (edge for node in self.reachable for edge in self.edges[node])


def _edge(flow: Flow, source: str, field: str, target: str) -> Edge:
    cause, wait = Cause.FLOW, _NO_TIME
    match flow.nodes[source]:
        case MessageNode() if field != "next":
            cause = Cause.CLICK
        case DelayNode(duration=duration):
            cause, wait = Cause.TIME, duration
        case AskNode(timeout=timeout):
            cause, wait = (Cause.REPLY, _NO_TIME) if field == "next" else (Cause.TIME, timeout)
    return Edge(source, field, target, cause, wait)


def components(nodes: Iterable[str], successors: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """The strongly connected components, each before those that lead to it (Tarjan, iterative)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    done: dict[str, bool] = {}
    found: list[list[str]] = []
    for root in nodes:
        if root in index:
            continue
        work = [(root, iter(successors(root)))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    work.append((target, iter(successors(target))))
                    break
                if target not in done:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_take_component(stack, node, done))
    return found


def _take_component(stack: list[str], root: str, done: dict[str, bool]) -> list[str]:
    members: list[str] = []
    while root not in done:
        members.append(stack.pop())
        done[members[-1]] = True
    return members
