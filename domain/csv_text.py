"""CSV as spreadsheets write it: its encoding, its separator, its header, its rows. Pure.

UTF-8, UTF-16 and Windows-1252, with or without a byte order mark; `,` `;` or tab (api.md section 4).
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

_CHUNK = 1 << 20
_DELIMITERS = ",;\t"
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]\d+", re.ASCII)


class NotCsv(ValueError):
    """The file as a whole cannot be read; the message says why."""


class CsvText:
    """A file of bytes as rows of cells: the header is `names`, iterating gives what is below it.

    Raises `NotCsv`, also in the middle of a file whose quotes do not match, and `OSError`.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.encoding = encoding_of(file)
        """As Python names it."""
        text = io.TextIOWrapper(file, encoding=self.encoding, newline="")
        head = text.readline()
        text.seek(0)
        self.delimiter = max(_DELIMITERS, key=head.count)
        self._rows = csv.reader(text, delimiter=self.delimiter, strict=True)
        _, header = next(iter(self), (1, []))
        self.names = [name.strip() for name in header]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """The rows, each with the line it begins in; blank lines are empty rows."""
        while True:
            line = self._rows.line_num + 1
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise NotCsv(f"the row that begins in line {line} is not CSV: {error}") from None
            yield line, cells


def encoding_of(file: BinaryIO) -> str:
    """UTF-8, UTF-16 or else Windows-1252, as Python names it; the file is at its start again.

    Raises `NotCsv` when it is none of them.
    """
    for encoding in _candidates(file.read(4)):
        if _is_in(encoding, file):
            file.seek(0)
            return encoding
    raise NotCsv("it is a text neither in UTF-8 nor in UTF-16 nor in Windows-1252")


def _candidates(head: bytes) -> tuple[str, ...]:
    if head.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if head[1:2] == b"\0":
        return ("utf-16-le",)
    if head[:1] == b"\0":
        return ("utf-16-be",)
    return ("utf-8", "cp1252")


def _is_in(encoding: str, file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def has_lost_digits(cell: str) -> bool:
    """Whether a spreadsheet has written a long number in scientific notation, as 1.6E+10."""
    return _SCIENTIFIC.fullmatch(cell) is not None
