"""What WhatsApp reports of an account or its templates, and what each report calls for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from domain import error_codes
from domain.delivery import Remedy

_HOLDS: Final = {
    "PAUSED": error_codes.TEMPLATE_PAUSED,
    "LIMIT_EXCEEDED": error_codes.TEMPLATE_PAUSED,
    "DISABLED": error_codes.TEMPLATE_DISABLED,
    "REJECTED": error_codes.TEMPLATE_MISSING,
    "DELETED": error_codes.TEMPLATE_MISSING,
    "PENDING_DELETION": error_codes.TEMPLATE_MISSING,
    "ARCHIVED": error_codes.TEMPLATE_MISSING,
    "LOCKED": error_codes.TEMPLATE_MISSING,
}
"""Statuses in which a template is not sent, with the code that a send of it would be refused with."""
_RELEASES: Final = frozenset({"APPROVED", "REINSTATED"})


@dataclass(frozen=True, slots=True)
class TemplateStatus:
    """A `message_template_status_update`: WhatsApp's word on one language of a template.

    `event` as Graph writes it, `reason` in WhatsApp's words, `at` WhatsApp's time of it if it is
    told.
    """

    name: str
    language: str
    event: str
    reason: str | None
    at: datetime | None

    @property
    def calls_for(self) -> Literal["hold", "release"] | None:
        """Statuses such as `PENDING` or `FLAGGED` change nothing: sends tell whether it is sent."""
        if self.event in _HOLDS:
            return "hold"
        return "release" if self.event in _RELEASES else None

    @property
    def code(self) -> int:
        """The code of a status that calls for a hold."""
        return _HOLDS[self.event]

    @property
    def message(self) -> str:
        return f"{self.event}: {self.reason}" if self.reason else self.event


@dataclass(frozen=True, slots=True)
class TemplateCategory:
    """A `template_category_update`: WhatsApp has put one language of a template into a category."""

    name: str
    language: str
    category: str
    """Graph's word, for example `MARKETING`."""
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error that is about no message but the number or account the event names."""

    code: int
    message: str | None
    at: datetime | None

    @property
    def holds_channel(self) -> bool:
        return error_codes.lookup(self.code).remedy is Remedy.HOLD_CHANNEL
