"""`sendout explain`: why a customer got what they got, told from the record alone (api.md section 7)."""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import typer

from admin import hold_in_words
from console import failure, in_database
from domain.explanation import Holds, in_words, moment, waits
from domain.inbound import parse_user_id
from domain.phone import parse_phone
from domain.timeline import History, timeline
from storage import businesses, channels
from storage.customer_history import KnownCustomer, read_customer
from storage.entries import CustomerEntry, Entry, entries_of_customer, find_with_version
from storage.timeline import read_history, sendout_state

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

_IS_OPEN = {"running", "unknown"}


class Told(NamedTuple):
    """An entry with all that is needed to tell of it."""

    about: CustomerEntry
    history: History
    blocker: tuple[Entry, str] | None
    holds: Holds


def run(client: str, business_id: UUID | None) -> None:
    """Print what is known of the customer; ends the command with 1 if that is nothing."""
    name = parse_phone(client) or parse_user_id(client)
    if name is None:
        raise failure(
            "--client is neither a phone number, such as +16045552331, nor a WhatsApp user id."
        )
    lines = in_database(lambda c: _lines(c, name, business_id))
    if not lines:
        raise failure(f"Nothing is known of {name} here: no entry, no message, no opt-out.")
    typer.echo("\n".join(lines))


async def _lines(connection: "AsyncConnection", name: str, business_id: UUID | None) -> list[str]:
    known_businesses = await businesses.list_businesses(connection)
    asked = [b for b in known_businesses if business_id in {None, b.business_id}]
    if business_id is not None and not asked:
        raise failure(f"There is no business {business_id}; `sendout business list` shows all.")
    now = await businesses.database_time(connection)
    lines: list[str] = []
    for business in asked:
        known = await read_customer(connection, business.business_id, name)
        entries = [told async for told in _entries(connection, business.business_id, known.names)]
        if entries or known.opt_out or known.last_inbound:
            lines += ["", *_customer(business, known)][0 if lines else 1 :]
            for told in entries:
                lines += ["", *_entry(told, now)]
    return lines


async def _entries(
    connection: "AsyncConnection", business_id: UUID, names: list[str]
) -> AsyncIterator[Told]:
    own = {c.channel_id: c for _, c in await channels.channels_of(connection, business_id)}
    for about in await entries_of_customer(connection, business_id, names):
        entry = about.entry
        blocker = None
        if entry.duplicate_of is not None:
            blocker = await find_with_version(connection, business_id, entry.duplicate_of)
        state = await sendout_state(connection, entry.sendout_id)
        channel = own[entry.channel_id]
        held = channel.held_since is not None
        holds = Holds(
            sendout="the sendout is paused" if state == "paused" else None,
            channel=f"the channel {channel.phone_number} is held {hold_in_words(channel)}"
            if held
            else None,
        )
        yield Told(about, await read_history(connection, entry), blocker, holds)


def _customer(business: businesses.Business, known: KnownCustomer) -> Iterator[str]:
    yield f"{known.names[0]} at {business.name} (business {business.business_id})"
    if len(known.names) > 1:
        yield f"  WhatsApp also knows them as {', '.join(known.names[1:])}."
    if known.opt_out is None:
        yield "  They have not opted out of marketing."
    else:
        lifted = ", lifted only by hand" if known.opt_out.by_hand else ""
        yield (
            f"  They opted out of marketing at {moment(known.opt_out.at)} "
            f"(by {known.opt_out.source}{lifted})."
        )
    if known.last_inbound is not None:
        yield f"  They last wrote or tapped at {moment(known.last_inbound.at)}."


def _entry(told: Told, now: "datetime") -> Iterator[str]:
    about, entry = told.about, told.about.entry
    yield f"{about.campaign_name or 'A single message'}, version {about.campaign_version}: {entry.state}"
    yield f"  entry {entry.entry_id}, sendout {entry.sendout_id} ({about.source})"
    scheduled = f", to start at {moment(entry.scheduled_at)}" if entry.scheduled_at else ""
    yield f"  {moment(entry.created_at)}  accepted{scheduled}"
    if entry.state == "duplicate":
        yield f"  {_duplicate(told)}"
        return
    for step in timeline(told.history):
        yield f"  {moment(step.at)}  {in_words(step)}"
    if entry.finished_at is not None:
        yield f"  {moment(entry.finished_at)}  ended: {_end(entry)}"
    for line in _now(told, now):
        yield f"  now: {line}"


def _duplicate(told: Told) -> str:
    entry = told.about.entry
    said = "duplicate: it sends nothing, because under allow_one this customer had this campaign"
    if told.blocker is None:
        return f"{said} before, by an entry that is no longer on record ({entry.duplicate_of})"
    earlier, version = told.blocker
    return (
        f"{said} by entry {earlier.entry_id} (version {version}, accepted "
        f"{moment(earlier.created_at)}, {earlier.state})"
    )


def _end(entry: Entry) -> str:
    from api.entry_answers import entry_error

    error = entry_error(entry)
    if error is None:
        return entry.state
    code = "" if error.provider_code is None else f" [{error.provider_code}]"
    own = "" if error.message == error.title else f" ({error.message})"
    return f"{entry.state}, because: {error.title}{own}{code}"


def _now(told: Told, now: "datetime") -> Iterator[str]:
    entry, holds = told.about.entry, told.holds
    if entry.state == "scheduled":
        yield "it waits for its time to start"
    elif entry.state == "queued":
        yield f"it waits to be started{f': {holds.sendout}' if holds.sendout else ''}"
    elif entry.state in _IS_OPEN:
        lines = waits(told.history, holds, now)
        yield from (f"it waits for {line}" for line in lines)
        for hold in (holds.sendout, holds.channel):
            if hold is not None and not any(hold in line for line in lines):
                yield f"whatever it sends next is held back: {hold}"
    else:
        yield "it waits for nothing" + (
            "; a tap on one of its buttons is still followed" if entry.state == "completed" else ""
        )
