"""`sendout import connectly-report`: what Connectly sent becomes what is not sent again here.

The file is read twice: first all of it is checked, then it is kept, batch by batch. So nothing is
kept of a file that cannot be read, and a million rows need no more memory than a thousand. Whoever
interrupts it starts it again: what is there already stays as it is.
"""

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import UUID

import typer

from connectly_file import Unreadable, read_report
from console import database_errors, database_url, failure
from domain.connectly_report import HistoryRow
from domain.csv_text import NotCsv
from storage.businesses import business_name
from storage.channels import channels_of
from storage.connectly_history import History, Imported
from storage.session import Database

_BATCH = 2_000
_MOST_SHOWN = 100


def run(file: Path, business_id: UUID, *, dry_run: bool) -> None:
    """Import a report, or only say what would be; ends the command with 1 if it cannot be read."""
    try:
        others = _check(file) - {str(business_id)}
    except (NotCsv, OSError) as error:
        raise failure(f"{file}: nothing was imported: {error}.") from None
    with database_errors():
        imported = asyncio.run(_import(file, business_id, dry_run=dry_run))
    for other in sorted(others)[:3]:
        typer.echo(f"note: the report is of business {other}; it was taken for {business_id}")
    typer.echo("\n".join(_summary(imported, dry_run=dry_run)))


def _check(file: Path) -> set[str]:
    """Read the whole file; the businesses it is of. Ends the command if a row cannot be read."""
    businesses: set[str] = set()
    rows = bad = 0
    for row in read_report(file):
        rows += 1
        if isinstance(row, Unreadable):
            bad += 1
            if bad <= _MOST_SHOWN:
                typer.echo(f"line {row.line}, {row.column}: {row.fix}", err=True)
        elif row.business_id:
            businesses.add(row.business_id)
    if bad:
        further = f" (the first {_MOST_SHOWN} are listed)" if bad > _MOST_SHOWN else ""
        raise failure(
            f"{file}: nothing was imported: {bad} of {rows} rows cannot be read{further}; "
            "correct them or take them out."
        )
    return businesses


async def _import(file: Path, business_id: UUID, *, dry_run: bool) -> Imported:
    async with Database(database_url(), pool_size=1) as database:
        channel_id = await _channel(database, business_id)
        history = History(business_id, channel_id)
        if dry_run:
            # All of it is done and undone, so that what batches have in common is counted once.
            async with database.transaction() as connection:
                for batch in _batches(file):
                    await history.add(connection, batch)
                await connection.rollback()
        else:
            for batch in _batches(file):
                async with database.transaction() as connection:
                    await history.add(connection, batch)
        return history.imported


def _batches(file: Path) -> Iterator[list[HistoryRow]]:
    rows = (row for row in read_report(file) if isinstance(row, HistoryRow))
    while batch := list(islice(rows, _BATCH)):
        yield batch


async def _channel(database: Database, business_id: UUID) -> UUID:
    """The sender that history is shown under: the default one, or else the oldest."""
    async with database.transaction() as connection:
        if await business_name(connection, business_id) is None:
            raise failure(f"There is no business {business_id}; `sendout business list` shows all.")
        channels = [channel for _, channel in await channels_of(connection, business_id)]
    if not channels:
        raise failure(
            "The business has no channel yet; `sendout channel add` connects the number that sends."
        )
    return next((c for c in channels if c.default), channels[0]).channel_id


def _summary(done: Imported, *, dry_run: bool) -> Iterator[str]:
    if dry_run:
        yield "Nothing was imported: this is what would be."
    yield f"rows read:          {done.rows}"
    yield f"campaigns:          {len(done.campaigns)}, {len(done.new_campaigns)} of them new"
    yield f"sendouts:           {len(done.sendouts)}, {len(done.new_sendouts)} of them new"
    yield f"rows kept:          {done.blocked + done.failed}, {done.new_entries} of them new"
    yield f"sent, not again:    {done.blocked}, {done.new_claims} customers of campaigns new"
    yield f"failed, may be:     {done.failed}"
    yield f"not sent, left out: {done.not_sent}"
    yield f"opted out:          {done.opted_out}, {done.new_opt_outs} of them new"
    if done.new_campaigns:
        yield "Made as drafts; publish each flow under the same name:"
        yield from (f"  {name}" for name in sorted(done.new_campaigns)[:_MOST_SHOWN])
