"""The campaign report: Connectly's CSV, column by column (reference/connectly.md section 5.2)."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from domain.ids import session_id

COLUMNS = (
    "customer_external_id",
    "business_id",
    "campaign_name",
    "sendout_id",
    "cnt_session_id",
    "sent_at",
    "delivered_at",
    "read_at",
    "opt_out_at",
    "error_code",
    "error_msg",
    "button_clicks",
    "link_clicks",
    "input_variables",
    "output_variables",
)
"""The documented columns, in the documented order."""

_NO_LINK_CLICKS = "[]"
"""WhatsApp reports no taps of URL buttons, and links in texts are not rewritten (flow.md section 3)."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Click(NamedTuple):
    """A tap: which button, the label the customer saw (None: not on record), and when."""

    node: str
    button: str
    label: str | None
    at: datetime


class ReportRow(NamedTuple):
    """What the record says of one customer in one sendout.

    `error_code` is WhatsApp's number, None for ends that have none; JSON is as it was written.
    """

    entry_id: UUID
    created_at: datetime
    client: str
    business_id: UUID
    campaign_name: str
    sendout_id: UUID
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    opt_out_at: datetime | None
    error_code: int | None
    error_message: str | None
    clicks: tuple[Click, ...]
    input_variables: str | None
    output_variables: str | None


Labels = Mapping[tuple[str, str], str]
"""The labels of a flow's buttons, by node and button id."""


def header() -> str:
    """The first line."""
    return _written([COLUMNS])


def lines(rows: Iterable[tuple[ReportRow, Labels]]) -> str:
    """A line per row, as RFC 4180 has it; each row with the labels of its flow."""
    return _written(_cells(row, labels) for row, labels in rows)


def _written(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cells(row: ReportRow, labels: Labels) -> tuple[str, ...]:
    return (
        row.client,
        str(row.business_id),
        row.campaign_name,
        str(row.sendout_id),
        session_id(row.entry_id, row.created_at),
        _moment(row.sent_at),
        _moment(row.delivered_at),
        _moment(row.read_at),
        _moment(row.opt_out_at),
        "" if row.error_code is None else str(row.error_code),
        _harmless(row.error_message or ""),
        _clicks(row.clicks, labels),
        _NO_LINK_CLICKS,
        row.input_variables or "{}",
        row.output_variables or "{}",
    )


def _moment(at: datetime | None) -> str:
    """UTC with a space, six decimals and no zone; blank for what has not happened."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _clicks(clicks: Iterable[Click], labels: Labels) -> str:
    shown = [
        {
            "id": click.button,
            "name": click.label or labels.get((click.node, click.button)) or click.button,
            "ts": _moment(click.at),
        }
        for click in clicks
    ]
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _harmless(text: str) -> str:
    """A text of others that no spreadsheet takes for a formula.

    No other cell can begin with what a customer or WhatsApp wrote: JSON begins with a bracket.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
