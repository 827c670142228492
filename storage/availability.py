"""Telling a database that is away from a statement that is wrong."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATE classes: connection exceptions, no resources, operator intervention (shutdown, starting up).
_AWAY = ("08", "53", "57P")


def database_is_away(error: BaseException) -> bool:
    """Whether the error says that PostgreSQL cannot be reached, or cannot serve now."""
    if isinstance(error, OSError | PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (
            isinstance(error, OperationalError | InterfaceError)
            if _state(error.orig) is None
            else _says_away(error.orig)
        )
    return isinstance(error, asyncpg.InterfaceError) or _says_away(error)


def _state(error: BaseException | None) -> str | None:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None


def _says_away(error: BaseException | None) -> bool:
    state = _state(error)
    return state is not None and state.startswith(_AWAY)


def is_deadlock(error: BaseException) -> bool:
    """Whether PostgreSQL ended the transaction for another one's sake; to be done again."""
    return isinstance(error, DBAPIError) and _state(error.orig) == "40P01"
