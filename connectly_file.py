"""Connectly's report as a file: its encoding, its delimiter, and its rows with their line numbers."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from domain.campaign_report import COLUMNS
from domain.connectly_report import HistoryRow, UnreadableCell, read_row

_CHUNK = 1 << 20
_BIGGEST_CELL = 1 << 24
_DELIMITERS = ",;\t"


class NotAReport(ValueError):
    """The file as a whole cannot be read; the message says why."""


class Unreadable(NamedTuple):
    """A cell that cannot be read: its line (the header is line 1), its column, and what to do."""

    line: int
    column: str
    fix: str


def encoding_of(path: Path) -> str:
    """UTF-8, UTF-16 or else Windows-1252. Raises `NotAReport` when it is none, `OSError`."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif head[1:2] == b"\0":
        candidates = ["utf-16-le"]
    elif head[:1] == b"\0":
        candidates = ["utf-16-be"]
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        if _is_in(path, encoding):
            return encoding
    raise NotAReport("it is a text neither in UTF-8 nor in UTF-16 nor in Windows-1252")


def _is_in(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_report(path: Path) -> Iterator[HistoryRow | Unreadable]:
    """The rows of a report, one at a time; a row with a cell that cannot be read as what is wrong.

    Columns are found by name, in any order; further ones are ignored, and so are empty lines.
    Raises `NotAReport`, also in the middle of a file whose quotes do not match, and `OSError`.
    """
    csv.field_size_limit(_BIGGEST_CELL)
    with path.open(encoding=encoding_of(path), newline="") as file:
        head = file.readline()
        delimiter = max(_DELIMITERS, key=head.count)
        names = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
        missing = [column for column in COLUMNS if column not in names]
        if missing:
            raise NotAReport(
                f"its first line does not name the column{'s' if missing[1:] else ''} "
                f"{', '.join(missing)}; a campaign report has {len(COLUMNS)} columns"
            )
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        line = 2
        try:
            for cells in rows:
                if any(cells):
                    yield _read(line, names, cells)
                line = rows.line_num + 2
        except csv.Error as error:
            raise NotAReport(f"the row that begins in line {line} is not CSV: {error}") from None


def _read(line: int, names: list[str], cells: list[str]) -> HistoryRow | Unreadable:
    if len(cells) < len(names):
        last = names[len(cells)]
        return Unreadable(line, last, f"the row ends before it, after {len(cells)} of {len(names)}")
    try:
        return read_row(dict(zip(names, cells, strict=False)))
    except UnreadableCell as error:
        return Unreadable(line, error.column, error.fix)
