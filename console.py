"""What the commands share: work in the record, and whatever goes wrong in one line."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from pydantic import ValidationError
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")

NO_DATABASE = (
    "SENDOUT_DATABASE_URL names no database; "
    "set it as postgresql+asyncpg://user:password@host/database."
)
OLD_SCHEMA = "The database has not the tables of this release; run `sendout migrate` first."


def failure(message: str) -> typer.Exit:
    """Say what is wrong on standard error; to be raised, it ends the command with 1."""
    typer.echo(message, err=True)
    return typer.Exit(1)


def in_database(work: "Callable[[AsyncConnection], Awaitable[T]]") -> T:
    """Do the work in one transaction. A database that cannot do it ends the command with one line."""
    from storage.session import Database

    async def run() -> T:
        async with (
            Database(database_url(), pool_size=1) as database,
            database.transaction() as connection,
        ):
            return await work(connection)

    with database_errors():
        return asyncio.run(run())


def database_url() -> str:
    """The address of the database; one that cannot be any ends the command with one line."""
    from settings import Settings

    url = Settings().database_url
    if not names_database(url):
        raise failure(NO_DATABASE)
    return url


def names_database(url: str) -> bool:
    """Whether it is the address of a database as `storage.session.Database` takes it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).drivername == "postgresql+asyncpg"
    except ArgumentError:
        return False


@contextlib.contextmanager
def database_errors() -> Iterator[None]:
    """Tell in one line what is wrong with the settings or with the database."""
    from asyncpg import PostgresError
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except ValidationError as error:
        raise failure(unusable_settings(error)[0]) from None
    except (DBAPIError, PostgresError, OSError) as error:
        raise failure(database_trouble(error)) from None


def unusable_settings(error: "ValidationError") -> list[str]:
    """What is wrong with the settings, a line each; their values, which may be secrets, are not told."""
    lines = []
    for wrong in error.errors(include_url=False, include_input=False):
        name = "_".join(["SENDOUT", *map(str, wrong["loc"])]).upper()
        lines.append(f"{name} is unusable: {wrong['msg']}.")
    return lines


def database_trouble(error: Exception) -> str:
    """What is wrong with a database that raised this, in one line."""
    from sqlalchemy.exc import ProgrammingError

    from storage.availability import database_is_away

    if isinstance(error, ProgrammingError):
        return OLD_SCHEMA
    if database_is_away(error):
        return "The database cannot be reached; SENDOUT_DATABASE_URL says where it is looked for."
    return f"The database refuses: {getattr(error, 'orig', None) or error}".splitlines()[0]


def table(rows: Iterable[Iterable[str]]) -> None:
    """Print rows in columns; the first row names them."""
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(line.rstrip())


def moment(at: datetime | None) -> str:
    """A time to the second, in UTC; `-` for none."""
    return "-" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
