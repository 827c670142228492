"""JSON that keeps its numbers as they were written: `1.50` stays `1.50` (flow.md section 1)."""

import json
from json import JSONDecoder
from json.encoder import encode_basestring
from typing import Any, Final, NoReturn

DEEPEST: Final = 100
"""Levels of nesting that a kept value may have: enough for any data, and safe to walk."""


class NumberLiteral(str):
    """A JSON number as its text. No arithmetic is done on it, so 1e400 and 5,000 digits are safe.

    It is a `str` so that `domain.rendering.variable_text` prints it as written; where text and
    numbers differ, compare `type(value) is str`.
    """

    __slots__ = ()


class NestedTooDeeply(ValueError):
    """The value has more than `DEEPEST` levels."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder: Final = JSONDecoder(
    parse_int=NumberLiteral, parse_float=NumberLiteral, parse_constant=_refuse_constant
)


def read(text: str) -> Any:
    """Read JSON with every number as a `NumberLiteral`; of a key given twice the last one counts.

    Raises `ValueError` when it is not JSON (NaN and Infinity are not), `RecursionError` when it is
    nested too deeply to be read.
    """
    return _decoder.decode(text)


def write(value: Any) -> str:
    """Write what `read` gave, compactly, numbers as they were written, non-ASCII as itself.

    Plain ints and floats are written as `json` does. A half surrogate pair is written as its
    escape, since UTF-8 has none. Raises `NestedTooDeeply` beyond `DEEPEST` levels.
    """
    text = _write(value, DEEPEST)
    # `isascii` is a flag on the string; the search runs only over texts that can hold one.
    return text if text.isascii() or is_utf8(text) else _escape_halves(text)


def is_utf8(text: str) -> bool:
    """Whether the text can be written as UTF-8, that is, holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL and WhatsApp can take every text in a JSON value.

    They take no NUL character and no half of a surrogate pair, which JSON can spell as escapes.
    """
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\0" in item or not (item.isascii() or is_utf8(item)):
                return False
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += item.keys()
            pending += item.values()
    return True


def _escape_halves(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text)


def _write(value: Any, levels: int) -> str:
    if type(value) is str:
        return encode_basestring(value)
    if isinstance(value, NumberLiteral):
        return str(value)
    if isinstance(value, dict):
        inner = _below(levels)
        # Most values are texts: not calling this function for each halves the time.
        pairs = [
            f"{encode_basestring(name)}:{encode_basestring(item)}"
            if type(item) is str
            else f"{encode_basestring(name)}:{_write(item, inner)}"
            for name, item in value.items()
        ]
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        inner = _below(levels)
        return "[" + ",".join(_write(item, inner) for item in value) + "]"
    return json.dumps(value, allow_nan=False)


def _below(levels: int) -> int:
    if levels == 0:
        raise NestedTooDeeply(f"more than {DEEPEST} levels of nesting")
    return levels - 1
