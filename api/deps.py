"""What routes are given: who calls, and the parts of this process."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, get_args
from uuid import UUID

from fastapi import Depends, Path, Request, Security
from fastapi.security import APIKeyHeader

from api.metrics import Metrics
from domain.errors import PermissionDenied, Unauthenticated
from domain.ports import (
    AddressCheck,
    Closing,
    Numbers,
    Pokes,
    Rates,
    Signals,
    Templates,
    TemporalHealth,
    Wakes,
)
from settings import Settings
from storage.keys import Key, find_key, hash_key, record_use
from storage.session import Database

Scope: TypeAlias = Literal["send", "read", "operate", "admin"]
SCOPES: frozenset[str] = frozenset(get_args(Scope))

KEY_REMEMBERED = 1.0
"""Seconds for which a key that was found good is not looked up again: how long a revoked key may
still be taken by a process that has just seen it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an API process, kept as `app.state.parts`."""

    settings: Settings
    database: Database
    pokes: Pokes
    signals: Signals
    temporal: TemporalHealth
    metrics: Metrics
    closing: Closing | None = None
    templates: Templates | None = None
    rates: Rates | None = None
    numbers: Numbers | None = None
    wakes: Wakes | None = None
    addresses: AddressCheck | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key the request carries."""

    key_id: UUID
    business_id: UUID
    name: str
    scopes: frozenset[str]


class KnownKeys:
    """Finds the caller of a key, and remembers for `KEY_REMEMBERED` seconds whom it found."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By hash, so that no secret outlives its request in memory.
        self._callers: dict[bytes, tuple[float, Caller]] = {}

    async def caller_of(self, secret: str) -> Caller:
        """Who calls with this key. Raises `Unauthenticated` when it is unknown or revoked."""
        now = time.monotonic()
        hashed = hash_key(secret)
        known = self._callers.get(hashed)
        if known is not None and known[0] > now:
            return known[1]
        key = await self._look_up(secret)
        caller = Caller(key.key_id, key.business_id, key.name, key.scopes)
        # Only good keys are kept, so this holds as many as there are keys in use.
        self._callers = {k: v for k, v in self._callers.items() if v[0] > now}
        self._callers[hashed] = (now + KEY_REMEMBERED, caller)
        return caller

    async def _look_up(self, secret: str) -> Key:
        async with self._database.transaction() as connection:
            key = await find_key(connection, secret)
            if key is None:
                raise Unauthenticated
            if not key.is_use_recorded:
                await record_use(connection, key.key_id)
            return key


_api_key = APIKeyHeader(
    name="X-API-Key",
    scheme_name="ApiKeyAuth",
    auto_error=False,
    description="The business's API key.",
)
BusinessId: TypeAlias = Annotated[
    str, Path(alias="businessId", description="The id of the business, a UUID.")
]


async def any_caller(request: Request, secret: Annotated[str | None, Security(_api_key)]) -> Caller:
    """Whoever has a good key. Raises `Unauthenticated`."""
    if not secret:
        raise Unauthenticated
    keys: KnownKeys = request.app.state.known_keys
    return await keys.caller_of(secret)


def caller_with(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, for the business of the address and with `scope`.

    It raises `Unauthenticated` (401) without a good key, `PermissionDenied` (403) with one that
    does not open this business or this call.
    """

    async def caller_with_scope(
        request: Request,
        secret: Annotated[str | None, Security(_api_key)],
        business_id: BusinessId,
    ) -> Caller:
        caller = await any_caller(request, secret)
        if business_id.lower() != str(caller.business_id):
            raise PermissionDenied("This API key is not of the business in the address.")
        if scope not in caller.scopes:
            raise PermissionDenied(f"This API key does not have the scope `{scope}`.")
        return caller

    return caller_with_scope


AnyCaller: TypeAlias = Annotated[Caller, Depends(any_caller)]
CanSend: TypeAlias = Annotated[Caller, Depends(caller_with("send"))]
CanRead: TypeAlias = Annotated[Caller, Depends(caller_with("read"))]
CanOperate: TypeAlias = Annotated[Caller, Depends(caller_with("operate"))]
CanAdmin: TypeAlias = Annotated[Caller, Depends(caller_with("admin"))]


async def parts_of(request: Request) -> Parts:
    """The parts of this process."""
    parts: Parts = request.app.state.parts
    return parts


async def _settings(request: Request) -> Settings:
    return (await parts_of(request)).settings


async def _database(request: Request) -> Database:
    return (await parts_of(request)).database


AppParts: TypeAlias = Annotated[Parts, Depends(parts_of)]
AppSettings: TypeAlias = Annotated[Settings, Depends(_settings)]
AppDatabase: TypeAlias = Annotated[Database, Depends(_database)]
