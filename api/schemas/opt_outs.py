"""Requests and answers of the opt-out resource (api.md section 6)."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import Field, StringConstraints

from api.bodies import RequestBody
from api.schemas.common import Schema

Source: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,63}$"),
    Field(description="Where the wish was heard: letters, digits, spaces and _ . : / -"),
]
"""Nothing that a spreadsheet would take for a formula."""


class OptOutOrder(RequestBody):
    """An opt-out entered by hand."""

    source: Source = "hand"


class ListedOptOut(OptOutOrder):
    """One of a list of them."""

    client: str


class OptedOutCustomer(Schema):
    """A customer who wants no marketing, how we know, and since when.

    `client` is the number, or the user id of a customer whose number WhatsApp hides.
    """

    client: str
    source: str
    by_hand: bool
    at: datetime


class EnteredOptOuts(Schema):
    """How many opt-outs of a list are on record by hand now: all of them."""

    entered: int


_ITEM: dict[str, Any] = {
    "anyOf": [{"type": "string"}, ListedOptOut.model_json_schema(by_alias=True)],
    "description": "A phone number or user id, or one with its source.",
}
LIST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "array", "items": _ITEM}},
            "text/csv": {
                "schema": {
                    "type": "string",
                    "description": "The column `client`, and `source` if there is one.",
                    "examples": ["client,source\n+16045552331,shop\n"],
                }
            },
        },
    }
}
"""What `/docs` tells of the body of a list: a route's `openapi_extra`."""
