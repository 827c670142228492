"""What comes in from a customer, in our words."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

_END_PUNCTUATION = " \t\r\n.!?,;:…¡¿。؟"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of a customer.

    `client` is the E.164 of the number WhatsApp names (None for a customer known by user name
    only), `reply_id` the id that came back with a tap (`<our message id>:<button id>`), `answers`
    the wamid it answers, `text` what was written or the tapped label.
    """

    inbound_id: str
    kind: Literal["text", "tap", "media", "other"]
    client: str | None
    user_id: str | None
    at: datetime
    text: str | None = None
    reply_id: str | None = None
    answers: str | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """A customer stopped, or resumed, marketing messages in WhatsApp's own settings."""

    client: str
    stop: bool


def folded(text: str) -> str:
    """Text as opt-out words are compared: trimmed, no case, no accents, no end punctuation."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return bare.strip().rstrip(_END_PUNCTUATION).lstrip(" ¡¿")


def is_word(text: str | None, words: Collection[str]) -> bool:
    """Whether the whole text is one of the words (api.md section 6, Opt-out)."""
    return text is not None and folded(text) in {folded(word) for word in words}
