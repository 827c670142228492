"""The send request as documented, and how its options are read (api.md section 2).

The request's models are for the documentation: entries are read by `domain.entry_checks`, which
gives each entry its own answer where a model would refuse the whole request.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from api.json_body import given
from api.schemas.common import Schema, in_one_piece
from api.schemas.errors import ErrorAnswer
from domain.documented_codes import ErrorCode, ErrorType
from domain.errors import BadRequest


class CampaignEntry(Schema):
    """One flow to one customer."""

    client: str = Field(description="The customer's phone number, with its country code.")
    campaign_name: str = Field(description="The campaign this entry is part of.")
    sender: str | None = Field(
        default=None, description="The channel to send from; the default channel if left out."
    )
    variables: dict[str, Any] | None = Field(
        default=None, description="Values of the flow's variables."
    )
    campaign_version: str | None = Field(
        default=None, description="The version (sendout) this entry will be part of."
    )
    scheduled_at: datetime | None = Field(
        default=None, description="When to start, RFC 3339 with offset; at once if left out."
    )
    callback_data: Any = Field(
        default=None, description="Given back in webhooks; at most 1024 bytes as JSON."
    )


class Options(Schema):
    """How entries without a version, or sent before, are treated."""

    if_version_unspecified: Literal["reuse_last_active", "create_new"] = "reuse_last_active"
    if_duplicate_check_unspecified: Literal["allow_one", "allow_multiple"] = "allow_one"
    include_entries: Literal["rejected", "all"] | None = Field(
        default=None, description="List the rejected, or all, entries in their rows."
    )
    dry_run: bool = Field(default=False, description="Answer, but store and send nothing.")


class SendRequest(Schema):
    """Entries of one or more campaigns."""

    entries: list[CampaignEntry] | None = None
    options: Options | None = None


def request_schema() -> dict[str, Any]:
    """The JSON schema of a request in one piece, for the API's description.

    The body is read by hand, so the framework does not describe it.
    """
    return in_one_piece(SendRequest)


class RowError(Schema):
    """What went wrong with the entries of a row."""

    message: str
    type: ErrorType
    code: ErrorCode
    user_title: str
    user_message: str


class EntryReport(Schema):
    """One entry of a row, listed by `includeEntries`."""

    index: int
    client: str | None
    entry_id: UUID | None
    state: str
    reason: str | None


class ReportRow(Schema):
    """The entries of one sendout that were accepted, or rejected for one reason."""

    campaign_id: UUID | None
    campaign_name: str | None
    campaign_version: str | None
    sendout_id: UUID | None
    status: Literal["unspecified", "error", "created", "updated"]
    accepted_count: int
    rejected_count: int
    error: RowError | None
    entries: list[EntryReport] | None = None


class SendReport(Schema):
    """What became of the entries."""

    data: list[ReportRow]


class SendRefusal(ErrorAnswer):
    """The error that all entries share, with the report in which it stands."""

    data: list[ReportRow] = Field(default_factory=list)


class SendOptions(NamedTuple):
    """The options of one request, with their defaults."""

    create_new: bool = False
    allow_multiple: bool = False
    listed: str | None = None
    dry_run: bool = False


def read_options(options: Any) -> SendOptions:
    """Read `options`. Raises `BadRequest` naming the one that has no such value."""
    if options is None:
        return SendOptions()
    if not isinstance(options, Mapping):
        raise BadRequest("`options` must be an object.")
    version = _choice(options, "ifVersionUnspecified", ("reuse_last_active", "create_new"))
    duplicates = _choice(options, "ifDuplicateCheckUnspecified", ("allow_one", "allow_multiple"))
    dry_run = given(options, "dryRun")
    if dry_run is not None and not isinstance(dry_run, bool):
        raise BadRequest("`options.dryRun` must be true or false.")
    return SendOptions(
        create_new=version == "create_new",
        allow_multiple=duplicates == "allow_multiple",
        listed=_choice(options, "includeEntries", ("rejected", "all")),
        dry_run=bool(dry_run),
    )


def _choice(options: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str | None:
    value = given(options, name)
    if value is None:
        return None
    # The documents give a default with its quotes, `"\\"allow_one\\""`, and clients copy it.
    bare = value[1:-1] if type(value) is str and value[:1] == value[-1:] == '"' else value
    if bare not in choices:
        raise BadRequest(f"`options.{name}` must be {' or '.join(f'`{c}`' for c in choices)}.")
    return str(bare)
