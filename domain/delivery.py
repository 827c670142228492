"""What one call to WhatsApp can come to, in the words the delivery path decides by."""

from dataclasses import dataclass
from enum import StrEnum


class Remedy(StrEnum):
    """What a provider error code calls for (the classes of `domain.error_codes`)."""

    PERMANENT = "permanent"
    """This message is refused for good."""
    BACKOFF = "backoff"
    """Provably not sent: the same call again, with growing pauses."""
    RETRY_AFTER = "retry_after"
    """Provably not sent: the same call again after the code's own pause."""
    SUPPRESS = "suppress"
    """Refused for good, and the customer is not to be tried with the like for a while."""
    HOLD_CHANNEL = "hold_channel"
    """The account or number is the trouble: hold every send of the channel."""
    HOLD_TEMPLATE = "hold_template"
    """The template is the trouble: hold every send of it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """WhatsApp took the message: its id there, and the customer's names as the answer gives them."""

    wamid: str
    wa_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """WhatsApp said no, so nothing was sent."""

    code: int
    title: str
    details: str = ""
    remedy: Remedy = Remedy.PERMANENT
    retry_after: float | None = None
    """Seconds, where the answer names a pause of its own."""
    subcode: int | None = None
    """Graph's `error_subcode`, which tells reasons apart where templates are made."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """The call never reached WhatsApp (no connection); safe to repeat."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The call may or may not have been taken: never blindly repeated."""

    reason: str


Answer = Accepted | Refused | NotSent | Unclear
