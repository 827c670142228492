"""How an entry ended (flow.md section 2, the rules after the list)."""

from collections.abc import Collection
from dataclasses import dataclass

from domain.run import MessageRef

TOO_MANY_SENDS = "TOO_MANY_SENDS"
EXPIRED = "EXPIRED"
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """The first message of an entry that was not skipped, as the record has it."""

    node: str
    visit: int
    state: str
    error_code: int | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state an entry ends in, with the code and words of the error that ended it, if one did."""

    state: str
    error_code: str | None = None
    error_message: str | None = None


def outcome(
    first: FirstMessage | None,
    *,
    too_many_sends: bool = False,
    not_received: Collection[MessageRef] = (),
) -> Outcome:
    """The outcome of an entry none of whose paths is pending: the first rule that holds."""
    if too_many_sends:
        return Outcome("failed", TOO_MANY_SENDS, "the run reached its limit of sends")
    if first is None:
        return Outcome("completed")
    match first.state:
        case "refused" | "failed":
            code = None if first.error_code is None else str(first.error_code)
            return Outcome("failed", code, first.error_message)
        case "unknown" | "given_up":
            return Outcome(
                "unknown", UNKNOWN, "WhatsApp never said whether it took the first message"
            )
        case "opted_out":
            return Outcome("opted_out", None, "the customer has opted out of marketing")
        case "expired":
            return Outcome("failed", EXPIRED, "the first message was not sent in time")
    if MessageRef(first.node, first.visit) in not_received:
        return Outcome("not_received", None, "the first message was never delivered")
    return Outcome("completed")
