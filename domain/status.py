"""What a status webhook changes in a message: statuses come twice, late and in any order.

A status never goes back (reference/whatsapp.md section 5.3): `read` implies `delivered` implies
`sent`, and `failed` counts only for a message that was not delivered.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

StatusName = Literal["sent", "delivered", "read", "failed"]

_UNSETTLED = {"unknown", "given_up", "held"}
"""States in which the run waits and a status may tell it what became of a call: a message of
unknown outcome may be held before it is sent again."""
_OPEN = {"sending", "retrying"} | _UNSETTLED
"""States in which nobody knows yet whether WhatsApp took the message."""


@dataclass(frozen=True, slots=True)
class Status:
    """One status of one message; `at` is WhatsApp's own time of it.

    `client` (E.164) and `user_id` are the recipient's names as WhatsApp gives them, if it does.
    """

    message_id: str | None
    wamid: str
    status: StatusName
    at: datetime
    error_code: int | None = None
    error_message: str | None = None
    client: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """What the record knows of a message's way."""

    message_id: str
    state: str
    wamid: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    awaits_delivery: bool
    error_code: int | None = None
    error_message: str | None = None
    was_given_up: bool = False
    """It was given up before it turned out to be sent."""


@dataclass(frozen=True, slots=True)
class News:
    """What a status tells the run: nothing, for most."""

    settled: bool | None = None
    """An unknown outcome is known now: accepted or not."""
    delivered: bool = False
    """A delay waits for this delivery."""
    failed: bool = False


def apply(message: Tracked, status: Status) -> tuple[Tracked, News]:
    """The message after the status, and the news in it; the same status again changes nothing."""
    if status.status == "failed":
        return _failed(message, status)
    was_open = message.state in _OPEN
    now = replace(
        message,
        state="sent" if was_open else message.state,
        wamid=message.wamid or status.wamid,
        error_code=None if was_open else message.error_code,
        error_message=None if was_open else message.error_message,
        sent_at=_earlier(message.sent_at, status.at),
    )
    if status.status in {"delivered", "read"}:
        now = replace(now, delivered_at=_earlier(message.delivered_at, status.at))
    if status.status == "read":
        now = replace(now, read_at=_earlier(message.read_at, status.at))
    if now.delivered_at is not None and message.state == "failed":
        # It arrived after all; what had been told of a failure is taken back.
        now = replace(now, state="sent", failed_at=None, error_code=None, error_message=None)
    arrived = message.awaits_delivery and now.delivered_at is not None
    if arrived:
        now = replace(now, awaits_delivery=False)
    settled = True if message.state in _UNSETTLED else None
    return now, News(settled=settled, delivered=arrived)


def _failed(message: Tracked, status: Status) -> tuple[Tracked, News]:
    if message.delivered_at is not None or message.state in {"failed", "refused"}:
        return message, News()
    now = replace(
        message,
        state="failed",
        wamid=message.wamid or status.wamid,
        failed_at=status.at,
        error_code=status.error_code,
        error_message=status.error_message,
        awaits_delivery=False,
    )
    if message.state in _UNSETTLED:
        return now, News(settled=False)
    return now, News(failed=True)


def _earlier(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)
