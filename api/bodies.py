"""Request bodies as models: both spellings, null as absent, unknown fields ignored (api.md 1)."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel
from starlette.requests import Request

from api.idempotency import IDEMPOTENCY_KEY_PARAMETER
from api.json_body import given, parse, read_bytes
from api.schemas.common import in_one_piece
from domain.errors import BadRequest


class RequestBody(BaseModel):
    """Base of the bodies that routes read: every field in camelCase, types taken literally."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, strict=True
    )


B = TypeVar("B", bound=RequestBody)


async def read_body(request: Request, model: type[B], most: int) -> B:
    """The body as `model`, at most `most` bytes of it; no body at all is an empty object.

    Raises `BadRequest` naming the first field at fault, `BodyTooLarge`.
    """
    return body_as(model, await read_bytes(request, most))


def body_as(model: type[B], body: bytes) -> B:
    """As `read_body`, of a body that was read already."""
    return fitted(model, parse_object(body, parse))


def parse_object(body: bytes, read: Callable[[bytes], Any]) -> dict[str, Any]:
    """The body as `read` parses it; no body at all is an empty object.

    Raises `BadRequest` when it is no JSON object.
    """
    fields = read(body) if body.strip() else {}
    if not isinstance(fields, dict):
        raise BadRequest('The body must be a JSON object, for example {"name": "spring"}.')
    return fields


def fitted(model: type[B], fields: dict[str, Any]) -> B:
    """The fields of `model` that are given in a JSON object, in either spelling.

    Raises `BadRequest` naming the first field at fault.
    """
    present = {
        name: value
        for name, field in model.model_fields.items()
        if (value := given(fields, field.alias or name)) is not None
    }
    try:
        return model.model_validate(present)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> BadRequest:
    first = error.errors(include_url=False, include_input=False)[0]
    # The first step is the field as the model names it; the client knows it in camelCase.
    steps = [to_camel(str(step)) if i == 0 else str(step) for i, step in enumerate(first["loc"])]
    said = str(first["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    said = said.replace("a valid dictionary", "an object")
    if first["type"] == "missing":
        said = "it is required"
    return BadRequest(f"Please check `{'.'.join(steps)}`: {said}.")


def documented(model: type[RequestBody], *, creates: bool = False) -> dict[str, Any]:
    """What `/docs` tells of a body of `model`: a route's `openapi_extra`.

    A route that `creates` takes an Idempotency-Key.
    """
    content = {"application/json": {"schema": in_one_piece(model)}}
    body: dict[str, Any] = {"requestBody": {"content": content}}
    return body | ({"parameters": [IDEMPOTENCY_KEY_PARAMETER]} if creates else {})
