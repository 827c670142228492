"""What every part of a flow document is made of: ids, durations, and a strict base of its models."""

import re
from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    model_validator,
)

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse_duration(text: object) -> timedelta:
    """Read an ISO 8601 duration such as `PT20H` or `P1DT30M`.

    Raises `ValueError` when it is not one, is zero or is absurdly long (over 1,000 days).
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) and len(text) <= 40 else None
    if match is None:
        raise ValueError("write a duration as in ISO 8601, for example PT20H or PT30M")
    parts = {unit: float(n) for unit, n in match.groupdict().items() if n is not None}
    if sum(parts.values()) <= 0:
        raise ValueError("a duration must be longer than zero")
    if parts.get("weeks", 0) > 142 or parts.get("days", 0) > 1000 or max(parts.values()) > 9e7:
        raise ValueError("a duration must be shorter than 1,000 days")
    return timedelta(**parts)


def _as_tuple(value: object) -> object:
    """JSON has lists only; frozen models hold tuples."""
    return tuple(value) if isinstance(value, list) else value


def _no_edge_spaces(value: str) -> str:
    if value != value.strip():
        raise ValueError("an id has no leading or trailing spaces")
    return value


FromList = BeforeValidator(_as_tuple)
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(parse_duration)]
Id: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=100), AfterValidator(_no_edge_spaces)
]
"""A node's or button's id. 100 characters keep `<message id>:<button id>` within the 200 that
WhatsApp allows for a list row's id."""
NodeId: TypeAlias = Id
ButtonId: TypeAlias = Id
Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A variable's name, case-sensitive."""
Scalar: TypeAlias = str | bool | int | float


class Document(BaseModel):
    """Base of every part of the flow document: frozen, strict about types, no unknown fields.

    `null` for an optional field is the same as leaving it out (api.md section 1).
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_by_name=False, validate_by_alias=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: object) -> object:
        if not isinstance(given, dict) or None not in given.values():
            return given
        optional = {
            field.alias or name
            for name, field in cls.model_fields.items()
            if not field.is_required()
        }
        return {
            name: value
            for name, value in given.items()
            if value is not None or name not in optional
        }
