"""Which events of a message a business is told, and which of its registrations wants them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from domain.status import Tracked

Kind: TypeAlias = Literal[
    "sent", "delivered", "read", "delivery_failed", "echo", "inbound", "report"
]

_TOLD_AS_FAILED: Final = {"failed", "refused", "given_up", "expired", "opted_out"}
"""States of which a `delivery_failed` was told when the message came into them."""
_NOT_YET_ACCEPTED: Final = {"sending", "retrying", "held", "unknown", "given_up"}


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a message; `at` is when it happened by WhatsApp's clock, None for now."""

    message_id: str
    kind: Kind
    at: datetime | None
    error_code: str | None = None
    error_message: str | None = None


def told_of(before: Tracked, after: Tracked) -> list[Told]:
    """The events in what statuses have changed of a message, in the order they are told in.

    A status implies those before it, so none is ever told after a later one; a failure is told once,
    and giving up is one.
    """
    told: list[Told] = []
    if before.state in _NOT_YET_ACCEPTED and after.state == "sent":
        told.append(Told(after.message_id, "echo", None))
    took_it = before.state not in {"failed", "refused"} or after.state == "sent"
    if before.sent_at is None and after.sent_at is not None and took_it:
        told.append(Told(after.message_id, "sent", after.sent_at))
    told_before = before.was_given_up or before.state in _TOLD_AS_FAILED
    if after.state == "failed" and not told_before:
        code = None if after.error_code is None else str(after.error_code)
        failed = Told(
            after.message_id, "delivery_failed", after.failed_at, code, after.error_message
        )
        told.append(failed)
    if before.delivered_at is None and after.delivered_at is not None:
        told.append(Told(after.message_id, "delivered", after.delivered_at))
    if before.read_at is None and after.read_at is not None:
        told.append(Told(after.message_id, "read", after.read_at))
    return told


def like_pattern(glob: str) -> str:
    """A glob (`*` any text, `?` any one character) as a pattern of SQL's LIKE."""
    escaped = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


# --- trying again ------------------------------------------------------------------------------

GIVEN_UP_AFTER: Final = 86_400.0
"""Seconds for which an event is tried (api.md section 5)."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 3600.0


def pause_after(tries: int, spread: float) -> float:
    """Seconds until an event that failed `tries` times is tried again: doubled each time.

    `spread` (0 to 1, random) makes it up to a quarter shorter or longer, so that what failed
    together is not repeated together.
    """
    pause = min(_FIRST_PAUSE * 2.0 ** min(tries - 1, 30), _LONGEST_PAUSE)
    return float(pause * (0.75 + spread / 2))
