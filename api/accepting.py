"""From the entries of a send request to its report: look up, check, store (api.md section 2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.schemas.send import SendOptions
from domain.entry_checks import Situation
from domain.errors import PartialError
from domain.flow import Flow
from domain.flow_cache import FLOWS
from domain.flow_inputs import inputs_of
from domain.grouping import (
    EntryOutcome,
    Group,
    Target,
    check_entries,
    flow_to_run,
    group_entries,
    reject_all,
)
from domain.ids import time_ordered_ids
from domain.json_text import is_storable
from storage import acceptance
from storage.acceptance import Batch, Place, Resolved


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What a request asks for, read but not checked."""

    business_id: UUID
    entries: list[Any]
    options: SendOptions
    honours_scheduled_at: bool = True
    may_hold_unstorable: bool = True


@dataclass(slots=True)
class Outcome:
    """What became of a request."""

    groups: list[Group]
    entries: dict[int, EntryOutcome] = field(default_factory=dict)
    """The accepted entries by their position; only for a request that lists them."""
    to_poke: set[UUID] = field(default_factory=set)
    """The sendouts that have new work, once the transaction is committed."""
    duplicates: int = 0
    """How many of the accepted entries make no run."""


async def accept(
    connection: AsyncConnection, request: SendRequest, *, lock: bool = False
) -> Outcome:
    """Check the entries and store the good ones, in the caller's transaction.

    Raises `storage.acceptance.SituationChanged` when what was looked up was overtaken by another
    request; then to be done again in a new transaction, with `lock`.
    """
    groups = group_entries(request.entries)
    resolved = await look_up(connection, request, groups, lock=lock)
    flows = await _flows(connection, groups)
    situation = Situation(
        resolved.channels,
        resolved.default_channel,
        datetime.now(UTC),
        honours_scheduled_at=request.honours_scheduled_at,
        may_hold_unstorable=request.may_hold_unstorable,
    )
    for group in groups:
        flow_hash = flow_to_run(group)
        if isinstance(flow_hash, PartialError):
            reject_all(group, flow_hash)
        else:
            inputs = inputs_of(flow_hash, flows[flow_hash])
            multiple = request.options.allow_multiple
            check_entries(group, situation, inputs, allow_multiple=multiple)
    if request.options.dry_run:
        return await _foresee(connection, request, groups)
    await _open_sendouts(connection, request.business_id, groups)
    return await _store(connection, request, groups)


async def look_up(
    connection: AsyncConnection, request: SendRequest, groups: Iterable[Group], *, lock: bool
) -> Resolved:
    """Give the groups what the record knows of their campaigns and versions.

    With `lock` the campaigns stay as they are until the transaction ends.
    """
    # Texts that PostgreSQL cannot take are the name of nothing.
    askable = [
        (name, group.version_asked if is_storable(group.version_asked) else None)
        for group in groups
        if (name := group.name_key) is not None and is_storable(name)
    ]
    resolved = await acceptance.resolve(connection, request.business_id, askable, lock=lock)
    names = {name: target for (name, _), target in resolved.targets.items()}
    for group in groups:
        key = group.name_key
        if key is None:
            continue
        group.target = resolved.targets.get((key, group.version_asked))
        if group.target is None and key in names:
            group.target = _without_version(names[key], group.version_asked)
        if group.target is not None and group.version_asked is None and request.options.create_new:
            # Its version and sendout are still to be made; nothing is known of them.
            group.wants_new_sendout = True
            group.target = group.target._replace(campaign_version=None, sendout_id=None)
    return resolved


def _without_version(target: Target, asked: str | None) -> Target:
    return target._replace(campaign_version=asked, flow_hash=None, sendout_id=None)


async def _flows(connection: AsyncConnection, groups: Iterable[Group]) -> dict[str, Flow]:
    hashes = {g.target.flow_hash for g in groups if g.target is not None and g.target.flow_hash}
    return await flows_at_hand(connection, hashes)


async def flows_at_hand(connection: AsyncConnection, hashes: set[str]) -> dict[str, Flow]:
    """The flows of these hashes, from this process's cache or else read all at once."""
    flows = {h: flow for h in hashes if (flow := FLOWS.get(h)) is not None}
    missing = hashes - flows.keys()
    if missing:
        for flow_hash, text in (await acceptance.read_flow_documents(connection, missing)).items():
            flows[flow_hash] = Flow.model_validate_json(text)
            FLOWS.put(flow_hash, flows[flow_hash])
    return flows


async def _open_sendouts(
    connection: AsyncConnection, business_id: UUID, groups: Iterable[Group]
) -> None:
    """See that every group with accepted entries has its sendout; others make none."""
    new = [group for group in groups if group.wants_new_sendout and group.accepted]
    if new:
        targets = [group.target for group in new if group.target is not None]
        for group, alias in zip(
            new, await acceptance.add_aliases(connection, targets), strict=True
        ):
            group.target = alias
    missing = [g for g in groups if g.accepted and g.target and g.target.sendout_id is None]
    if not missing:
        return
    targets = [group.target for group in missing if group.target is not None]
    opened = await acceptance.open_sendouts(connection, business_id, targets)
    for group, target in zip(missing, targets, strict=True):
        sendout_id, group.is_created = opened[target.campaign_id, target.campaign_version or ""]
        group.target = target._replace(sendout_id=sendout_id)


async def _store(connection: AsyncConnection, request: SendRequest, groups: list[Group]) -> Outcome:
    outcome = Outcome(groups)
    batches = [
        Batch(
            group.target.campaign_id,
            group.target.sendout_id,
            time_ordered_ids(len(group.accepted)),
            group.accepted,
        )
        for group in groups
        if group.accepted and group.target is not None and group.target.sendout_id is not None
    ]
    if not batches:
        return outcome
    duplicates = await acceptance.accept(
        connection, request.business_id, batches, allow_multiple=request.options.allow_multiple
    )
    outcome.duplicates = len(duplicates)
    now = datetime.now(UTC)
    for batch in batches:
        if not duplicates.keys() >= set(batch.entry_ids):
            outcome.to_poke.add(batch.sendout_id)
        if request.options.listed == "all":
            for entry_id, entry in zip(batch.entry_ids, batch.entries, strict=True):
                outcome.entries[entry.position] = _outcome(
                    entry_id,
                    entry.scheduled_at,
                    now,
                    is_duplicate=entry_id in duplicates,
                    first=duplicates.get(entry_id),
                )
    return outcome


async def _foresee(
    connection: AsyncConnection, request: SendRequest, groups: list[Group]
) -> Outcome:
    """What `_store` would do."""
    outcome = Outcome(groups)
    for group in groups:
        if group.accepted and (group.target is None or group.target.sendout_id is None):
            group.is_created = True
    if request.options.listed != "all":
        return outcome
    accepted = [
        (group.target.campaign_id, entry)
        for group in groups
        if group.target is not None
        for entry in group.accepted
    ]
    places: Mapping[tuple[UUID, str], Place] = {}
    if accepted and not request.options.allow_multiple:
        asked = [(campaign_id, entry.client) for campaign_id, entry in accepted]
        places = await acceptance.claimed_by(connection, request.business_id, asked)
    now = datetime.now(UTC)
    taken: set[tuple[UUID, str]] = set()
    for campaign_id, entry in accepted:
        customer, first = places.get((campaign_id, entry.client), Place(entry.client, None))
        is_taken = first is not None or (campaign_id, customer) in taken
        is_duplicate = is_taken and not request.options.allow_multiple
        outcome.entries[entry.position] = _outcome(
            None, entry.scheduled_at, now, is_duplicate=is_duplicate, first=first
        )
        taken.add((campaign_id, customer))
    return outcome


def _outcome(
    entry_id: str | None,
    scheduled_at: datetime | None,
    now: datetime,
    *,
    is_duplicate: bool,
    first: str | None,
) -> EntryOutcome:
    if is_duplicate:
        blocking = f"entry {first}" if first is not None else "an earlier entry"
        return EntryOutcome(
            entry_id, "duplicate", f"`client` is or was sent this campaign by {blocking}"
        )
    is_later = scheduled_at is not None and scheduled_at > now
    return EntryOutcome(entry_id, "scheduled" if is_later else "queued")
