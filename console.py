"""What the commands share: work in the record, and whatever goes wrong in one line."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


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
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    from settings import Settings

    url = Settings().database_url
    try:
        driver = make_url(url).drivername
    except ArgumentError:
        driver = ""
    if driver != "postgresql+asyncpg":
        raise failure(
            "SENDOUT_DATABASE_URL names no database; "
            "set it as postgresql+asyncpg://user:password@host/database."
        )
    return url


@contextlib.contextmanager
def database_errors() -> Iterator[None]:
    """Tell in one line what is wrong with the settings or with the database."""
    from asyncpg import PostgresError
    from pydantic import ValidationError
    from sqlalchemy.exc import DBAPIError, ProgrammingError

    from storage.availability import database_is_away

    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = f"SENDOUT_{'_'.join(map(str, first['loc'])).upper()}".rstrip("_")
        raise failure(f"{name} is unusable: {first['msg']}.") from None
    except (DBAPIError, PostgresError, OSError) as error:
        if isinstance(error, ProgrammingError):
            said = "The database has not the tables of this release; run `sendout migrate` first."
        elif database_is_away(error):
            said = (
                "The database cannot be reached; SENDOUT_DATABASE_URL says where it is looked for."
            )
        else:
            said = f"The database refuses: {getattr(error, 'orig', None) or error}".splitlines()[0]
        raise failure(said) from None


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
