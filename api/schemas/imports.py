"""Requests and answers of the import resource (api.md section 4)."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.schemas.common import Schema
from api.schemas.texts import LONGEST_NAME, Line
from domain.documented_codes import ErrorCode, ErrorType

CampaignName: TypeAlias = Annotated[
    str, Query(alias="campaignName", min_length=1, description="The campaign the rows are sent.")
]
CampaignVersion: TypeAlias = Annotated[
    str,
    Query(alias="campaignVersion", description="Its version; the newest one if left out."),
]
Label: TypeAlias = Annotated[
    Line, Query(max_length=LONGEST_NAME, description="The label of the sendout.")
]
Sender: TypeAlias = Annotated[
    str,
    Query(description="The channel of rows that name none; the default channel if left out."),
]
ScheduledAt: TypeAlias = Annotated[
    str,
    Query(
        alias="scheduledAt",
        description="When to start rows that give no time, RFC 3339 with offset; at once if left out.",
    ),
]
DuplicateCheck: TypeAlias = Annotated[
    Literal["allow_one", "allow_multiple", ""],
    Query(
        alias="ifDuplicateCheckUnspecified",
        description="As of send/campaigns; `allow_one` if left out.",
    ),
]
ColumnMapping: TypeAlias = Annotated[
    str,
    Query(
        description="A JSON object of columns and what they give: `client`, `sender`, `scheduledAt`, "
        "`callbackData` or `variables.<name>`. Columns it does not name are ignored. If left out, "
        "columns are known by their headers.",
        examples=['{"Phone": "client", "First name": "variables.name"}'],
    ),
]

CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {
                "schema": {
                    "type": "string",
                    "description": "The file as it is: UTF-8, UTF-16 or Windows-1252, separated by "
                    "commas, semicolons or tabs; the first row names the columns.",
                },
                "examples": {
                    "Two customers": {
                        "summary": "Two customers",
                        "value": "client,name\n+16045552331,Ana\n+16045552332,Bo\n",
                    }
                },
            }
        },
    }
}
"""What `/docs` tells of the body: a part of a route's `openapi_extra`."""


class ImportColumn(Schema):
    """A column by its header, and what it gives; null for one that is ignored."""

    name: str
    target: str | None


class InvalidRow(Schema):
    """What is wrong with one row, which is not sent."""

    row: int = Field(description="As a spreadsheet counts: the header is row 1.")
    column: str | None = Field(description="Null where no column gives what is missing.")
    type: ErrorType
    code: ErrorCode
    message: str


class ImportDuplicates(Schema):
    """Rows whose customer is sent to once."""

    in_file: int = Field(description="Refused, because the number stands in an earlier row.")
    sent_before: int = Field(
        description="Accepted without a run, because the customer was sent this campaign before."
    )


class Import(Schema):
    """A CSV file that was read and checked, and what starting it comes to.

    `rows` are the `valid` and the `invalid` ones. Until it is started, duplicates of earlier
    sendouts, opt-outs and what follows of them are counted anew each time it is read.
    """

    import_id: UUID
    state: Literal["checked", "started"]
    campaign_id: UUID
    campaign_name: str
    campaign_version: str = Field(description="The version the rows were checked against.")
    label: str | None
    sendout_id: UUID | None = Field(description="Its sendout, once it is started.")
    encoding: Literal["UTF-8", "UTF-16", "Windows-1252"]
    delimiter: Literal[",", ";", "\t"]
    columns: list[ImportColumn]
    rows: int
    valid: int
    invalid: int
    errors: list[InvalidRow] = Field(description="Of the first 100 invalid rows.")
    duplicates: ImportDuplicates
    opted_out: int = Field(
        description="Valid rows that make a run and whose customers want no marketing."
    )
    to_send: int = Field(description="Customers who get the flow's first message.")
    seconds_needed: int = Field(
        description="For these messages, at the senders' messages per second."
    )
    created_at: datetime
    started_at: datetime | None
    expires_at: datetime = Field(description="When the import is forgotten; its sendout stays.")
