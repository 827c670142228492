"""What a person reads about a run in the Temporal Web UI: what was sent, what it waits for."""

from domain.flow import Flow, MessageNode
from domain.run import Path, Phase, RunState

_WAITS = {
    Phase.SENDING: "sending **{node}**",
    Phase.HELD: "**{node}** is held before it is sent",
    Phase.UNSETTLED: "WhatsApp has not said whether it took **{node}**",
    Phase.DELAYED: "time delay **{node}** after {message}",
    Phase.CHECKING: "time delay **{node}** is due, reading what is known of {message}",
    Phase.LATE: "time delay **{node}** is due, but {message} is not delivered yet",
    Phase.ASKING: "the customer's text for **{node}**",
    Phase.CLOSING_ASK: "the customer's text for **{node}**, time is up",
}


def describe(campaign: str, flow: Flow, state: RunState) -> str:
    """Markdown of a few lines; names campaign, nodes and times, never the customer."""
    sent = [
        name if visits == 1 else f"{name} (×{visits})"
        for name, visits in state.visits.items()
        if isinstance(flow.nodes[name], MessageNode)
    ]
    lines = [f"Campaign **{campaign}**. Messages so far: {', '.join(sent) or 'none'}."]
    lines += [f"- Waiting: {_waiting(path)}" for path in state.paths]
    if state.used:
        taps = ", ".join(f"{used.button} on {used.node}" for used in state.used)
        lines.append(f"Tapped: {taps}.")
    if state.closed:
        lines.append("Ended.")
    elif not state.paths:
        lines.append("Ended; still open for clicks.")
    return "\n".join(lines)


def _waiting(path: Path) -> str:
    message = path.message.node if path.message else "the start"
    until = f" until {path.until:%Y-%m-%d %H:%M:%S} UTC" if path.until else ""
    return _WAITS[path.phase].format(node=path.node, message=message) + until
