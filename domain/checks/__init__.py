"""The publish checks: what is wrong with a flow of the right shape (flow.md section 3)."""

from typing import Final

from domain.checks.codes import CODES
from domain.checks.graph import FlowGraph
from domain.checks.paths import check_delays, check_marketing_pace, check_service_window
from domain.checks.registered import check_templates
from domain.checks.report import Report
from domain.checks.structure import check_durations, check_loops, check_targets
from domain.checks.texts import check_variables
from domain.flow import Flow, MessageNode
from domain.issues import Issue
from domain.limits import over_limits
from domain.templates import TemplateRegistry
from domain.windows import RECIPIENT, known_zones

__all__ = ["CODES", "MOST_NODES", "check"]

MOST_NODES: Final = 1000


def check(
    flow: Flow, *, templates: TemplateRegistry | None = None, tested: bool = True
) -> list[Issue]:
    """Every error and warning of a flow, errors first, in the order of the document.

    `templates` are those of the channel, where they are known; without them nothing is said about
    them. `tested` is false for a draft that was never sent to a test number. A mistake is one
    issue: what only follows from it is left out where that can be told. Never raises.
    """
    report = Report(flow)
    if len(flow.nodes) > MOST_NODES:
        said = (
            f"keep at most {MOST_NODES:,} nodes of {len(flow.nodes):,}: divide this into campaigns"
        )
        report.add("TOO_MANY_NODES", "nodes", said)
        return report.issues()
    graph = FlowGraph(flow)
    check_targets(graph, report)
    check_loops(graph, report)
    check_durations(graph, report)
    check_delays(graph, templates, report)
    check_service_window(graph, report)
    check_variables(flow, report)
    for name, node in flow.nodes.items():
        if isinstance(node, MessageNode):
            report.take(name, over_limits(node, f"nodes.{name}", rendered=False))
    if templates is not None:
        check_templates(flow, templates, report)
    _check_sending_window(flow, report)
    _check_buttons(flow, report)
    check_marketing_pace(graph, templates, report)
    if not tested:
        said = "send this draft to a number of your own before customers get it"
        report.add("NOT_TESTED", "", said)
    return report.issues()


def _check_buttons(flow: Flow, report: Report) -> None:
    """Warn of taps that come to nothing; an opt-out button does its work without a `next`."""
    for name, node in flow.nodes.items():
        if isinstance(node, MessageNode):
            for i, button in enumerate(node.buttons):
                if button.next is None and not button.opt_out:
                    said = "let a tap lead on to a node: as it is, nothing follows"
                    report.add("BUTTON_LEADS_NOWHERE", f"buttons.{i}.next", said, node=name)


def _check_sending_window(flow: Flow, report: Report) -> None:
    if flow.window is None:
        return
    known = known_zones()
    if flow.window.timezone != RECIPIENT and known and flow.window.timezone not in known:
        meant = report.closest("zone", flow.window.timezone, known)
        like = "America/Sao_Paulo" if meant is None else meant
        said = f"write an IANA zone such as `{like}`, or `recipient`"
        report.add("UNKNOWN_TIMEZONE", "window.timezone", said)
    if flow.window.from_ == flow.window.to:
        said = "let the window close at another time than it opens; without a `window` messages go out at all hours"
        report.add("EMPTY_WINDOW", "window.to", said)
