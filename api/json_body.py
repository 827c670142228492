"""Reading a request's body as JSON, whatever its Content-Type says (api.md section 1).

Whatever a client sends, the answer is a value, a documented 400 or a 413; never an error of ours.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.requests import Request

from domain import json_text
from domain.errors import BadRequest, BodyTooLarge

LONGEST_INTEGER = 100
"""Digits; a longer number is not a count, an index or an amount of anything."""


async def read_bytes(request: Request, most: int) -> bytes:
    """The body, at most `most` bytes of it.

    Raises `BodyTooLarge` before reading on once it is clear that there are more.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most:
        raise BodyTooLarge(most)
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise BodyTooLarge(most)
        chunks.append(chunk)
    return b"".join(chunks)


def parse_keeping_numbers(body: bytes) -> Any:
    """The body as JSON, every number as a `domain.json_text.NumberLiteral`.

    Raises `BadRequest` when it is not JSON in UTF-8. Of a key given twice the last one counts.
    """
    return _parse(body, json_text.read)


def parse(body: bytes) -> Any:
    """The body as JSON with ordinary numbers.

    Raises `BadRequest` when it is not JSON in UTF-8, is nested deeper than
    `domain.json_text.DEEPEST`, or holds a number beyond a double or `LONGEST_INTEGER` digits.
    """
    value = _parse(body, _decoder.decode)
    _refuse_depth(value)
    return value


async def read_object(request: Request, most: int) -> dict[str, Any]:
    """The body as a JSON object with ordinary numbers; no body at all is an empty object.

    Raises `BodyTooLarge`, or `BadRequest` as `parse` does or when it is no object.
    """
    body = await read_bytes(request, most)
    value = parse(body) if body.strip() else {}
    if not isinstance(value, dict):
        raise BadRequest('The body must be a JSON object, for example {"name": "spring"}.')
    return value


def given(fields: Mapping[str, Any], name: str) -> Any:
    """A field in either spelling, None when it is absent or null; camelCase wins if both are there.

    `name` is the camelCase spelling: `campaignName` also finds `campaign_name`.
    """
    value = fields.get(name)
    return value if value is not None else fields.get(snake_case(name))


def snake_case(name: str) -> str:
    """`campaignName` as `campaign_name`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def _parse(body: bytes, decode: Any) -> Any:
    try:
        # Some clients put a byte order mark in front, which is no part of JSON.
        text = body.decode("utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else "utf-8")
        return decode(text)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: see the byte at {error.start}.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply; use fewer levels of lists.") from None
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from None


def _integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError(f"a number has more than {LONGEST_INTEGER} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_decoder = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant)


def _refuse_depth(value: Any) -> None:
    """Walks level by level, so that depth costs no stack."""
    level = [value]
    for _ in range(json_text.DEEPEST + 1):
        level = [
            item
            for container in level
            if isinstance(container, dict | list)
            for item in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return
    raise BadRequest(f"The body is nested too deeply; {json_text.DEEPEST} levels are the most.")
