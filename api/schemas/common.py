"""Shapes that several resources share: camelCase models, `entity` and list envelopes, cursors."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from domain.errors import BadRequest
from domain.json_text import is_storable

T = TypeVar("T")

MOST_PER_PAGE = 500


class Schema(BaseModel):
    """A JSON object with camelCase names; snake_case is read as well."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True
    )


class Entity(Schema, Generic[T]):
    """One object: `{"entity": …}`."""

    entity: T


class Page(Schema, Generic[T]):
    """A list: `{"data": […], "nextCursor": null}`."""

    data: list[T]
    next_cursor: str | None = None


def in_one_piece(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a body with the parts it names in their places.

    Bodies are read by hand, so the framework does not know their parts. No model holds itself.
    """
    schema = model.model_json_schema(by_alias=True)
    parts = schema.pop("$defs", {})

    def whole(node: Any) -> Any:
        if isinstance(node, list):
            return [whole(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return whole(parts[node["$ref"].rpartition("/")[2]])
        return {name: whole(item) for name, item in node.items()}

    described: dict[str, Any] = whole(schema)
    return described


Limit: TypeAlias = Annotated[
    int, Query(ge=1, le=MOST_PER_PAGE, description="How many to answer at most.")
]
"""Use as `limit: Limit = 50`."""
Cursor: TypeAlias = Annotated[
    str | None, Query(description="`nextCursor` of the page before.", max_length=1000)
]
"""Use as `cursor: Cursor = None`."""


def write_cursor(*place: str | int) -> str:
    """The place after which the next page starts, as an opaque text."""
    packed = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def read_cursor(cursor: str, *kinds: type[str] | type[int]) -> list[Any]:
    """Read what `write_cursor` wrote. Raises `BadRequest` when it is not such a text."""
    try:
        packed = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        place = json.loads(packed)
    except (ValueError, binascii.Error, RecursionError):
        place = None
    fits = isinstance(place, list) and len(place) == len(kinds)
    if not fits or not all(_is(k, p) for p, k in zip(place, kinds, strict=True)):
        raise _not_ours()
    return list(place)


def _is(kind: type[str] | type[int], part: Any) -> bool:
    """Whether the part is of that kind, and one that PostgreSQL can compare with."""
    if type(part) is int:
        return kind is int and abs(part) < 2**63
    return type(part) is kind and is_storable(part)


def _not_ours() -> BadRequest:
    return BadRequest("`cursor` must be the `nextCursor` of an earlier answer, unchanged.")


def write_time_cursor(at: datetime, name: object) -> str:
    """The place of a list in order of time; `name` tells apart what happened at one moment."""
    return write_cursor(at.isoformat(), str(name))


def read_time_cursor(cursor: str, kind: Callable[[str], T]) -> tuple[datetime, T]:
    """Read what `write_time_cursor` wrote, the name as `kind`. Raises `BadRequest` as above."""
    at, name = read_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(at).astimezone(UTC), kind(name)
    except (ValueError, OverflowError):
        raise _not_ours() from None
