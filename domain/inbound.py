"""What comes in from a customer, in our words."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

# `CC.` and what stands for the user there (reference/whatsapp.md section 5.5).
_USER_ID = re.compile(r"[A-Za-z]{2}\.[A-Za-z0-9._-]{1,150}")
_END_PUNCTUATION = " \t\r\n.!?,;:…¡¿。؟"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of a customer.

    `client` is the E.164 of the number WhatsApp names (None for a customer known by user name
    only), `user_id` the id it gives the customer towards this business, `reply_id` the id that came back with a tap (`<our message id>:<button id>`), `answers`
    the wamid it answers, `text` what was written or the tapped label. `details` are for the business
    alone: the customer's `name`, and the parts of a message that is more than text, as events show them.
    """

    inbound_id: str
    kind: Literal["text", "tap", "media", "other"]
    client: str | None
    user_id: str | None
    at: datetime
    text: str | None = None
    reply_id: str | None = None
    answers: str | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """A customer stopped, or resumed, marketing messages in WhatsApp's own settings.

    Named by `client` (E.164), `user_id` or both.
    """

    client: str | None
    user_id: str | None
    stop: bool


def parse_user_id(value: object) -> str | None:
    """The value if it is a user id, WhatsApp's name for a customer towards one business; else None."""
    return value if isinstance(value, str) and _USER_ID.fullmatch(value) else None


def folded(text: str) -> str:
    """Text as opt-out words are compared: trimmed, no case, no accents, no end punctuation."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return bare.strip().rstrip(_END_PUNCTUATION).lstrip(" ¡¿")


def is_word(text: str | None, words: Collection[str]) -> bool:
    """Whether the whole text is one of the words (api.md section 6, Opt-out)."""
    return text is not None and folded(text) in {folded(word) for word in words}
