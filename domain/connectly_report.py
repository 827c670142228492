"""Reading a campaign report of Connectly: what each row says was sent, and to whom it was.

The columns are those of `domain.campaign_report`; here they are read back, leniently where nothing
can be mistaken, from files that may have been through a spreadsheet.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

from domain import json_text
from domain.csv_text import has_lost_digits
from domain.inbound import parse_user_id
from domain.phone import parse_phone

LONGEST_NAME = 256
"""Characters of a campaign's name (api.md section 3)."""

Outcome: TypeAlias = Literal["completed", "failed", "unknown"]

_CODE = re.compile(r"(\d{1,9})(?:\.0+)?")
_NOTHING = {"", "null", "[]", "{}"}


class UnreadableCell(ValueError):
    """A cell that cannot be read: which column, and what to do about it."""

    def __init__(self, column: str, fix: str) -> None:
        super().__init__(f"{column}: {fix}")
        self.column = column
        self.fix = fix


class HistoryRow(NamedTuple):
    """One customer in one sendout of Connectly's.

    `client` is a number in E.164 or a user id, the campaign's name is in NFC, variables are JSON.
    """

    client: str
    business_id: str
    campaign_name: str
    sendout_id: UUID
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    opt_out_at: datetime | None
    error_code: int | None
    error_message: str | None
    reacted: bool
    variables: str
    outputs: str | None

    @property
    def was_received(self) -> bool:
        """Whether anything shows that it arrived."""
        return self.delivered_at is not None or self.read_at is not None or self.reacted

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, by the rules of api.md section 2; None if it was not sent at all.

        WhatsApp's numbers say that a message was refused or failed; an error without one says
        nothing sure, so such a customer counts as sent.
        """
        if self.was_received:
            return "completed"
        if self.error_code is not None:
            return "failed"
        if self.sent_at is None:
            return None
        return "completed" if self.error_message is None else "unknown"

    @property
    def blocks(self) -> bool:
        """Whether under `allow_one` the customer is not sent this campaign again."""
        return self.outcome in {"completed", "unknown"}


def read_row(cells: Mapping[str, str]) -> HistoryRow:
    """Read a row by its columns. Raises `UnreadableCell` for the first cell that cannot be."""
    return HistoryRow(
        client=_client(cells["customer_external_id"]),
        business_id=cells["business_id"].strip().lower(),
        campaign_name=_name(cells["campaign_name"]),
        sendout_id=_uuid(cells["sendout_id"]),
        sent_at=_moment("sent_at", cells),
        delivered_at=_moment("delivered_at", cells),
        read_at=_moment("read_at", cells),
        opt_out_at=_moment("opt_out_at", cells),
        error_code=_error_code(cells["error_code"]),
        error_message=_error_message(cells),
        reacted=any(
            cells[column].strip() not in _NOTHING
            for column in ("button_clicks", "link_clicks", "output_variables")
        ),
        variables=_json_object("input_variables", cells) or "{}",
        outputs=_json_object("output_variables", cells),
    )


def _client(cell: str) -> str:
    # A leading apostrophe is how spreadsheets keep a number as text.
    text = cell.strip().removeprefix("'")
    if has_lost_digits(text):
        raise UnreadableCell(
            "customer_external_id",
            "a number in scientific notation, which a spreadsheet made and which has lost digits; "
            "take the file as it was downloaded",
        )
    name = parse_phone(text) or parse_user_id(text)
    if name is None:
        raise UnreadableCell("customer_external_id", "not a phone number, such as +16045552331")
    return name


def _name(cell: str) -> str:
    name = unicodedata.normalize("NFC", cell)
    has_control = any(unicodedata.category(char) in {"Cc", "Cs"} for char in name)
    if not name.strip() or len(name) > LONGEST_NAME or has_control:
        raise UnreadableCell(
            "campaign_name",
            f"not a name: 1 to {LONGEST_NAME} characters, not all blank, no control characters",
        )
    return name


def _uuid(cell: str) -> UUID:
    try:
        return UUID(cell.strip())
    except ValueError:
        raise UnreadableCell("sendout_id", "not a UUID") from None


def _moment(column: str, cells: Mapping[str, str]) -> datetime | None:
    """A time in UTC unless it says another zone; None where nothing happened."""
    text = cells[column].strip()
    if text in _NOTHING:
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableCell(column, "not a time such as 2024-05-10 20:13:50.682000") from None


def _error_code(cell: str) -> int | None:
    """WhatsApp's number; None without one, also for a word, which then stands in the message."""
    match = _CODE.fullmatch(cell.strip())
    return int(match[1]) if match and int(match[1]) else None


def _error_message(cells: Mapping[str, str]) -> str | None:
    said = cells["error_msg"].strip() or cells["error_code"].strip()
    return None if said in _NOTHING | {"0"} else said.replace("\0", "")


def _json_object(column: str, cells: Mapping[str, str]) -> str | None:
    text = cells[column].strip()
    if text in {"", "null"}:
        return None
    value: Any = None
    try:
        value = json_text.read(text)
        if isinstance(value, dict) and json_text.is_storable(value):
            return json_text.write(value)
    except (ValueError, RecursionError):
        pass
    raise UnreadableCell(column, 'not a JSON object, such as {"name":"Ana"}')
