"""Connectly's report as a file: its rows with their line numbers, or what is wrong with them."""

import contextlib
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from domain.campaign_report import COLUMNS
from domain.connectly_report import HistoryRow, UnreadableCell, read_row
from domain.csv_text import CsvText, NotCsv

_BIGGEST_CELL = 1 << 24


class Unreadable(NamedTuple):
    """A cell that cannot be read: its line (the header is line 1), its column, and what to do."""

    line: int
    column: str
    fix: str


def read_report(path: Path) -> Iterator[HistoryRow | Unreadable]:
    """The rows of a report, one at a time; a row with a cell that cannot be read as what is wrong.

    Columns are found by name, in any order; further ones are ignored, and so are empty lines.
    Raises `NotCsv`, also in the middle of a file whose quotes do not match, and `OSError`.
    """
    with _big_cells(), path.open("rb") as file:
        rows = CsvText(file)
        names = [name.lower() for name in rows.names]
        missing = [column for column in COLUMNS if column not in names]
        if missing:
            raise NotCsv(
                f"its first line does not name the column{'s' if missing[1:] else ''} "
                f"{', '.join(missing)}; a campaign report has {len(COLUMNS)} columns"
            )
        for line, cells in rows:
            if any(cells):
                yield _read(line, names, cells)


@contextlib.contextmanager
def _big_cells() -> Iterator[None]:
    """Its lists of messages are longer than what the process allows in a cell otherwise."""
    before = csv.field_size_limit(_BIGGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _read(line: int, names: list[str], cells: list[str]) -> HistoryRow | Unreadable:
    if len(cells) < len(names):
        last = names[len(cells)]
        return Unreadable(line, last, f"the row ends before it, after {len(cells)} of {len(names)}")
    try:
        return read_row(dict(zip(names, cells, strict=False)))
    except UnreadableCell as error:
        return Unreadable(line, error.column, error.fix)
