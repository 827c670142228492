"""The Idempotency-Key of a request (api.md section 1)."""

from typing import Annotated, Any, TypeAlias

from fastapi import Header, Request

from api.deps import Caller
from domain.errors import BadRequest
from storage.idempotency import IdempotentRequest, idempotent_request

LONGEST_KEY = 255

IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same key and body within 24 hours give the first answer again.",
        max_length=LONGEST_KEY,
    ),
]
"""Use as `idempotency_key: IdempotencyKey = None`."""

IDEMPOTENCY_KEY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": LONGEST_KEY},
    "description": "The same key and body within 24 hours give the first answer again.",
}
"""The same for the description of a call that reads the header from its request."""


def idempotent(request: Request, caller: Caller, body: bytes) -> IdempotentRequest | None:
    """The request's identity for `storage.idempotency`, None when it names no key.

    Raises `BadRequest` when the key is too long.
    """
    key = request.headers.get("idempotency-key")
    if not key:
        return None
    if len(key) > LONGEST_KEY:
        raise BadRequest(f"`Idempotency-Key` must have at most {LONGEST_KEY} characters.")
    # What is asked may stand in the query as well.
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return idempotent_request(caller.business_id, key, request.method, address, body)
