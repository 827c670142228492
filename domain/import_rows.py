"""An import's CSV as the entries of a send request, checked by the same rules (api.md section 4). Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from domain import send_errors
from domain.csv_text import CsvText, has_lost_digits
from domain.entry_checks import Accepted, Rejected, Situation
from domain.flow_inputs import FlowInputs
from domain.grouping import Group, check_entries
from domain.import_columns import VARIABLE, Column

MOST_ERRORS: Final = 100
"""Rows whose errors are told; the others are counted."""
REPEATED_ROW: Final = "`client` stands in an earlier row of this file"
"""The reason to refuse a row under `allow_one`."""

_NAMED = re.compile(r"`([^`]+)`")


class LostDigits(ValueError):
    """A column has been through a spreadsheet that wrote its numbers in scientific notation."""

    def __init__(self, column: str, row: int, cell: str) -> None:
        super().__init__(
            f"Column `{column}` holds numbers in scientific notation, as {cell} in row {row}: a "
            "spreadsheet has dropped their digits. Format the column as text there, enter the "
            "numbers again or take them from the source, and export the file once more"
        )
        self.column = column
        self.row = row


class TooManyRows(ValueError):
    """The file has more rows than one import may have."""


class RowError(NamedTuple):
    """What is wrong with one row; `column` is None where no column gives what is missing."""

    rejected: Rejected
    column: str | None


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """The rows of a file. Positions are rows as a spreadsheet counts them: the header is row 1."""

    rows: int
    accepted: Sequence[Accepted]
    errors: Sequence[RowError]
    """At most `MOST_ERRORS`, in the order of their rows."""
    repeated: int
    """Rows refused because their client stands in an earlier row."""


@dataclass(frozen=True, slots=True)
class RowRules:
    """What the rows of a file are read and checked with.

    `defaults` are the `sender` and `scheduledAt` of rows that give none.
    """

    columns: Sequence[Column]
    defaults: Mapping[str, str]
    situation: Situation
    inputs: FlowInputs
    allow_multiple: bool
    most_rows: int


def check_rows(csv_text: CsvText, rules: RowRules) -> CheckedRows:
    """Read and check every row. Raises `LostDigits`, `TooManyRows`, `domain.csv_text.NotCsv`."""
    group = Group(None, None)
    too_long: list[Rejected] = []
    for count, (row, cells) in enumerate(_rows(csv_text), 1):
        if count > rules.most_rows:
            raise TooManyRows(
                f"The file has more than {rules.most_rows:,} rows; split it into several imports"
            )
        if any(cells[len(rules.columns) :]):
            too_long.append(_too_long(row, len(rules.columns)))
        else:
            group.entries.append((row, _entry(row, cells, rules)))
    check_entries(
        group,
        rules.situation,
        rules.inputs,
        allow_multiple=rules.allow_multiple,
        repeated=REPEATED_ROW,
    )
    columns = {column.target: column.name for column in rules.columns}
    rejected = sorted(group.rejected + too_long, key=lambda refused: refused.position)
    return CheckedRows(
        len(group.accepted) + len(rejected),
        group.accepted,
        [RowError(refused, _column_of(refused, columns)) for refused in rejected[:MOST_ERRORS]],
        sum(refused.reason == REPEATED_ROW for refused in rejected),
    )


def _rows(csv_text: CsvText) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, by their number in a spreadsheet."""
    for row, (_, cells) in enumerate(csv_text, 2):
        if any(cell.strip() for cell in cells):
            yield row, cells


def _too_long(row: int, columns: int) -> Rejected:
    reason = f"the row has more than the {columns} cells of the header: quote cells with separators"
    return Rejected(row, None, send_errors.ENTRY_INVALID, reason)


def _entry(row: int, cells: Sequence[str], rules: RowRules) -> dict[str, Any]:
    """The row as an entry of send/campaigns; empty cells are absent."""
    entry: dict[str, Any] = dict(rules.defaults)
    variables: dict[str, str] = {}
    for (name, target), cell in zip(rules.columns, cells, strict=False):
        text = cell.strip()
        if target is None or not text:
            continue
        if has_lost_digits(text):
            raise LostDigits(name, row, text)
        if target.startswith(VARIABLE):
            variables[target.removeprefix(VARIABLE)] = text
        else:
            # A leading apostrophe is how spreadsheets keep a number as text.
            entry[target] = text.removeprefix("'") if target in {"client", "sender"} else text
    return entry | {"variables": variables}


def _column_of(refused: Rejected, columns: Mapping[str | None, str]) -> str | None:
    """The column behind the field that a reason names, as "`variables.name` is required" does."""
    named = _NAMED.match(refused.reason)
    return None if named is None else columns.get(named[1])
