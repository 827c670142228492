"""Calls that create or retry: with an Idempotency-Key they are done once (api.md section 1)."""

from dataclasses import dataclass

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.deps import Caller
from api.idempotency import idempotent
from api.json_body import read_bytes
from storage.idempotency import IdempotentRequest, KeptAnswer, first_answer, keep_answer


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request's body, and its identity if it names a key."""

    body: bytes
    identity: IdempotentRequest | None

    async def first_answer(self, connection: AsyncConnection) -> Response | None:
        """The answer it got before, None when it is the first; to be asked first.

        Raises `FirstRequestStillRunning`, `IdempotencyKeyReused`.
        """
        if self.identity is None:
            return None
        kept = await first_answer(connection, self.identity)
        return None if kept is None else _response(kept)

    async def answer(
        self,
        connection: AsyncConnection,
        content: BaseModel,
        status: int = 200,
        *,
        again: BaseModel | None = None,
    ) -> Response:
        """The answer, kept in the transaction that did what it says.

        `again` is kept in its place where it shows a secret, which is shown once.
        """
        if self.identity is not None:
            await keep_answer(connection, self.identity, _written(again or content, status))
        return _response(_written(content, status))


def _written(content: BaseModel, status: int) -> KeptAnswer:
    return KeptAnswer(status, content.model_dump_json(by_alias=True))


def _response(answer: KeptAnswer) -> Response:
    return Response(answer.body, answer.status, media_type="application/json")


async def repeatable(request: Request, caller: Caller, most: int) -> Repeatable:
    """The request with its body, at most `most` bytes. Raises `BodyTooLarge`, `BadRequest`."""
    body = await read_bytes(request, most)
    return Repeatable(body, idempotent(request, caller, body))
