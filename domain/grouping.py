"""A send request as groups of entries, and the report about them (api.md section 2). Pure."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain import entry_checks, send_errors
from domain.documented_codes import ErrorType
from domain.entry_checks import Accepted, Rejected, Situation, check_entry, client_as_given
from domain.errors import PartialError
from domain.flow_inputs import FlowInputs

REPEATED_CLIENT: Final = "`client` is in this request before, for the same campaign and version"
"""The reason to refuse an entry under `allow_one`."""


class Target(NamedTuple):
    """What the record knows of the campaign and version that a group asks for."""

    campaign_id: UUID
    state: str
    """draft, published, unpublished or archived"""
    campaign_version: str | None
    """The version asked for, or else the newest; None when there is none yet."""
    flow_hash: str | None
    """None when there is no such version."""
    sendout_id: UUID | None
    """The current sendout of that version."""


@dataclass(slots=True)
class Group:
    """The entries that ask for one campaign and one version, or none; one sendout is theirs."""

    campaign_name: str | None
    """As asked first; None for entries whose campaign cannot be read."""
    version_asked: str | None
    entries: list[tuple[int, Any]] = field(default_factory=list)
    target: Target | None = None
    accepted: list[Accepted] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    is_created: bool = False
    """Whether this request created (or in a dry run: would create) the sendout."""
    wants_new_sendout: bool = False
    """Whether a sendout of its own is made for the accepted entries (`create_new`)."""

    @property
    def name_key(self) -> str | None:
        """The name by which the campaign is found."""
        return None if self.campaign_name is None else normal_name(self.campaign_name)


def normal_name(name: str) -> str:
    """The form in which names of campaigns are kept and compared: NFC, case-sensitive."""
    return unicodedata.normalize("NFC", name)


def group_entries(entries: Iterable[Any]) -> list[Group]:
    """The entries by campaign name and version, in order of first appearance."""
    groups: dict[tuple[str | None, str | None], Group] = {}
    spelled: dict[tuple[str | None, str | None], Group] = {}
    for position, entry in enumerate(entries):
        asked = _asked(entry)
        group = spelled.get(asked)
        if group is None:
            name, version = asked
            key = (None if name is None else normal_name(name), version)
            group = spelled[asked] = groups.setdefault(key, Group(name, version))
        group.entries.append((position, entry))
    return list(groups.values())


def _asked(entry: Any) -> tuple[str | None, str | None]:
    if type(entry) is not dict:
        return None, None
    name = entry_checks.field(entry, "campaignName", "campaign_name")
    if type(name) is not str or not name:
        return None, None
    version = entry_checks.field(entry, "campaignVersion", "campaign_version")
    return name, version if type(version) is str and version else None


def flow_to_run(group: Group) -> str | PartialError:
    """The flow of the group's entries, by hash, or why none of them can be accepted."""
    if group.campaign_name is None:
        return send_errors.ENTRY_INVALID
    if group.target is None:
        return send_errors.CAMPAIGN_NOT_FOUND
    if group.target.state == "archived":
        return send_errors.CAMPAIGN_ARCHIVED
    if group.target.state != "published":
        return send_errors.CAMPAIGN_NOT_FINAL
    return group.target.flow_hash or send_errors.VERSION_NOT_FOUND


def reject_all(group: Group, error: PartialError) -> None:
    """Refuse every entry of the group for the same reason."""
    reason = "`campaignName` is required" if group.campaign_name is None else error.message
    group.rejected = [
        Rejected(position, client_as_given(entry), error, reason)
        for position, entry in group.entries
    ]


def check_entries(
    group: Group,
    situation: Situation,
    inputs: FlowInputs,
    *,
    allow_multiple: bool,
    repeated: str = REPEATED_CLIENT,
) -> None:
    """Sort the group's entries into accepted and rejected ones.

    Under `allow_one` a client that was accepted before in this group is refused as `repeated`.
    """
    seen: set[str] = set()
    for position, entry in group.entries:
        checked = check_entry(position, entry, situation, inputs)
        if isinstance(checked, Rejected):
            group.rejected.append(checked)
        elif allow_multiple or checked.client not in seen:
            seen.add(checked.client)
            group.accepted.append(checked)
        else:
            group.rejected.append(
                Rejected(position, checked.client, send_errors.ENTRY_INVALID, repeated)
            )


# --- the report --------------------------------------------------------------------------------


class EntryOutcome(NamedTuple):
    """What became of an accepted entry: its id (None in a dry run), state, and why."""

    entry_id: str | None
    state: str
    reason: str | None = None


def report(
    groups: Iterable[Group],
    *,
    listed: str | None = None,
    outcomes: Mapping[int, EntryOutcome] | None = None,
) -> list[dict[str, Any]]:
    """The rows of the answer.

    `listed` is `rejected` or `all` when rows name their entries; `outcomes` has the accepted ones
    by index and is needed for `all`.
    """
    rows = []
    for group in groups:
        if group.accepted:
            rows.append(_row(group, None, len(group.accepted), 0))
            if listed is not None:
                entries = group.accepted if listed == "all" else []
                rows[-1]["entries"] = [_listed(entry, outcomes or {}) for entry in entries]
        for error, rejected in _by_error(group.rejected).items():
            rows.append(_row(group, error, 0, len(rejected)))
            if listed is not None:
                rows[-1]["entries"] = [_refused(entry) for entry in rejected]
    return rows


def _by_error(rejected: Iterable[Rejected]) -> dict[PartialError, list[Rejected]]:
    errors: dict[PartialError, list[Rejected]] = {}
    for entry in rejected:
        errors.setdefault(entry.error, []).append(entry)
    return errors


def _row(group: Group, error: PartialError | None, accepted: int, rejected: int) -> dict[str, Any]:
    target = group.target
    status = "error" if error is not None else "created" if group.is_created else "updated"
    return {
        "campaignId": None if target is None else str(target.campaign_id),
        "campaignName": group.campaign_name,
        "campaignVersion": None if target is None else target.campaign_version,
        "sendoutId": None
        if target is None or target.sendout_id is None
        else str(target.sendout_id),
        "status": status,
        "acceptedCount": accepted,
        "rejectedCount": rejected,
        "error": None if error is None else error.as_json(),
    }


def _listed(entry: Accepted, outcomes: Mapping[int, EntryOutcome]) -> dict[str, Any]:
    outcome = outcomes[entry.position]
    return {
        "index": entry.position,
        "client": entry.client,
        "entryId": outcome.entry_id,
        "state": outcome.state,
        "reason": outcome.reason,
    }


def _refused(entry: Rejected) -> dict[str, Any]:
    return {
        "index": entry.position,
        "client": entry.client,
        "entryId": None,
        "state": "rejected",
        "reason": entry.reason,
    }


def status_and_error(groups: Iterable[Group]) -> tuple[int, PartialError | None]:
    """The HTTP status, and for 404 and 409 the error of the first row to put beside the report."""
    errors: dict[PartialError, None] = {}
    for group in groups:
        if group.accepted:
            return 200, None
        errors |= dict.fromkeys(entry.error for entry in group.rejected)
    if not errors or not all(send_errors.is_of_campaign(error) for error in errors):
        return 200, None
    missing = all(error.type is ErrorType.NOT_FOUND for error in errors)
    return 404 if missing else 409, next(iter(errors))
