"""From an uploaded CSV to checked rows, and from those to a sendout (api.md section 4).

The rows are entries of send/campaigns: they are checked, and accepted, by the same code.
"""

import asyncio
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from api.accepting import SendRequest, flows_at_hand, look_up
from api.deps import Parts
from api.json_body import parse
from api.schemas import imports as schemas
from api.schemas.send import SendOptions
from domain.csv_text import CsvText, NotCsv
from domain.documented_codes import ErrorCode, ErrorType
from domain.entry_checks import Situation
from domain.errors import ApiError, BadRequest, Conflict, NotFound, PartialError
from domain.flow import Flow, MessageNode
from domain.flow_inputs import inputs_of
from domain.grouping import Group, Target, flow_to_run
from domain.import_columns import BadColumns, Column, map_columns
from domain.import_rows import CheckedRows, LostDigits, RowRules, TooManyRows, check_rows
from domain.message_types import TemplateMessage
from storage import imports as record
from storage.imports import Import, NewImport, SenderForecast

AT_ONCE = 2
"""Files that a process reads at once; further ones wait. Each keeps a core busy for seconds."""

_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What an upload asks for besides its file; `""` is absent."""

    business_id: UUID
    campaign_name: str
    campaign_version: str
    label: str
    sender: str
    scheduled_at: str
    allow_multiple: bool
    mapping: str


# --- uploading ---------------------------------------------------------------------------------


class Read(NamedTuple):
    """A file that was read."""

    encoding: str
    delimiter: str
    columns: Sequence[Column]
    checked: CheckedRows


@dataclass(frozen=True, slots=True)
class Against:
    """What the rows of an upload are checked against: the campaign's version, and the senders."""

    target: Target
    flow_hash: str
    flow: Flow
    situation: Situation


async def look_up_import(connection: AsyncConnection, parts: Parts, order: ImportOrder) -> Against:
    """The campaign and the senders. Raises what send/campaigns answers of such a campaign."""
    group = Group(order.campaign_name, order.campaign_version or None)
    request = SendRequest(order.business_id, [], SendOptions())
    resolved = await look_up(connection, request, [group], lock=False)
    flow_hash = flow_to_run(group)
    if isinstance(flow_hash, PartialError):
        raise _refused(flow_hash)
    assert group.target is not None  # noqa: S101 - it has a flow
    flows = await flows_at_hand(connection, {flow_hash})
    situation = Situation(
        resolved.channels,
        resolved.default_channel,
        datetime.now(UTC),
        honours_scheduled_at=parts.settings.scheduled_at,
    )
    return Against(group.target, flow_hash, flows[flow_hash], situation)


async def read_file(body: bytes, order: ImportOrder, against: Against, most_rows: int) -> Read:
    """Read and check all rows, beside the event loop. Raises `BadRequest`."""
    mapping = _read_mapping(order.mapping)
    return await asyncio.to_thread(_read, body, order, mapping, against, most_rows)


def _read_mapping(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        mapping = parse(text.encode())
    except BadRequest as error:
        raise BadRequest(f"`mapping`: {error.error.message}") from None
    if mapping is not None and not isinstance(mapping, dict):
        raise BadRequest('`mapping` must be a JSON object, for example {"Phone": "client"}.')
    return mapping


def _read(
    body: bytes,
    order: ImportOrder,
    mapping: dict[str, Any] | None,
    against: Against,
    most_rows: int,
) -> Read:
    names: list[str] = []
    try:
        csv_text = CsvText(io.BytesIO(body))
        names = csv_text.names
        columns = map_columns(names, mapping, against.flow.variables)
        given = {"sender": order.sender, "scheduledAt": order.scheduled_at}
        rules = RowRules(
            columns,
            {name: text for name, text in given.items() if text},
            against.situation,
            inputs_of(against.flow_hash, against.flow),
            order.allow_multiple,
            most_rows,
        )
        checked = check_rows(csv_text, rules)
    except NotCsv as error:
        raise BadRequest(f"The file is not CSV: {error}.") from None
    except BadColumns as error:
        raise BadRequest(f"{error}.", details={"columns": names}) from None
    except LostDigits as error:
        raise BadRequest(f"{error}.", details={"column": error.column, "row": error.row}) from None
    except TooManyRows as error:
        raise BadRequest(
            f"{error}.", code=ErrorCode.CAMPAIGN_TOO_MANY_ENTRIES, title="Too many rows"
        ) from None
    if checked.rows == 0:
        raise BadRequest("The file has no rows below its header.")
    encoding = _ENCODINGS.get(csv_text.encoding, "UTF-16")
    return Read(encoding, csv_text.delimiter, columns, checked)


async def keep_import(
    connection: AsyncConnection, order: ImportOrder, against: Against, read: Read
) -> schemas.Import:
    """Keep what was read, and answer it with what starting it would come to."""
    new = NewImport(
        campaign_id=against.target.campaign_id,
        campaign_name=order.campaign_name,
        campaign_version=against.target.campaign_version or "",
        flow_hash=against.flow_hash,
        label=order.label or None,
        allow_multiple=order.allow_multiple,
        report=_report(read),
    )
    rows = read.checked.accepted
    import_id = await record.add_import(connection, order.business_id, new, rows)
    return await shown(connection, await found(connection, order.business_id, import_id))


def _report(read: Read) -> dict[str, Any]:
    """The part of the answer that no later event changes."""
    checked = read.checked
    return {
        "encoding": read.encoding,
        "delimiter": read.delimiter,
        "columns": [column._asdict() for column in read.columns],
        "rows": checked.rows,
        "valid": len(checked.accepted),
        "invalid": checked.rows - len(checked.accepted),
        "errors": [
            {
                "row": refused.position,
                "column": column,
                "type": refused.error.type.value,
                "code": refused.error.code.value,
                "message": refused.reason,
            }
            for refused, column in checked.errors
        ],
        "inFile": checked.repeated,
    }


# --- reading and starting ----------------------------------------------------------------------


async def found(
    connection: AsyncConnection, business_id: UUID, import_id: UUID, *, lock: bool = False
) -> Import:
    """The import, with its campaign locked if asked. Raises `NotFound`."""
    known = await record.find_import(connection, business_id, import_id, lock=lock)
    if known is None:
        raise NotFound(
            f"There is no import {import_id}; imports are kept for a day. Upload the file again."
        )
    return known


async def shown(connection: AsyncConnection, known: Import) -> schemas.Import:
    """The import as the API answers it."""
    forecast = known.forecast or await _foresee(connection, known)
    return schemas.Import.model_validate(
        {
            **known.report,
            **forecast,
            "duplicates": {
                "inFile": known.report["inFile"],
                "sentBefore": forecast["sentBefore"],
            },
            "importId": known.import_id,
            "state": "started" if known.started_at else "checked",
            "campaignId": known.campaign_id,
            "campaignName": known.campaign_name,
            "campaignVersion": known.campaign_version,
            "label": known.label,
            "sendoutId": known.sendout_id,
            "createdAt": known.created_at,
            "startedAt": known.started_at,
            "expiresAt": known.expires_at,
        }
    )


async def start(connection: AsyncConnection, known: Import) -> int:
    """Accept the rows of a locked import that is not started; how many of them are duplicates.

    Raises `Conflict` when there is nothing to send or the campaign is not to be sent any more.
    """
    version = Target(
        known.campaign_id, known.campaign_state, known.campaign_version, known.flow_hash, None
    )
    refusal = flow_to_run(Group(known.campaign_name, known.campaign_version, target=version))
    if isinstance(refusal, PartialError):
        raise _refused(refusal)
    if not known.report["valid"]:
        raise Conflict("No row of this import can be sent; correct the file and upload it again.")
    forecast = await _foresee(connection, known)
    sendout_id, duplicates = await record.start_import(connection, known)
    forecast["toSend"] -= duplicates - forecast["sentBefore"]
    forecast["sentBefore"] = duplicates
    await record.record_start(connection, known.import_id, sendout_id, forecast)
    return duplicates


async def _foresee(connection: AsyncConnection, known: Import) -> dict[str, int]:
    """What starting comes to, as fields of the answer; of messages only the first is foreseen."""
    senders = await record.foresee(connection, known)
    flows = await flows_at_hand(connection, {known.flow_hash})
    keeps_out = _is_marketing(flows[known.flow_hash])

    def to_send(sender: SenderForecast) -> int:
        return sender.valid - sender.duplicates - (sender.opted_out if keeps_out else 0)

    # Senders work side by side.
    seconds = (math.ceil(to_send(s) / s.messages_per_second) for s in senders)
    return {
        "sentBefore": sum(sender.duplicates for sender in senders),
        "optedOut": sum(sender.opted_out for sender in senders),
        "toSend": sum(map(to_send, senders)),
        "secondsNeeded": max(seconds, default=0),
    }


def _is_marketing(flow: Flow) -> bool:
    """Whether the first message is kept from customers who opted out, for all that the flow says."""
    node = flow.nodes.get(flow.start)
    template = node.message if isinstance(node, MessageNode) else None
    return not isinstance(template, TemplateMessage) or template.category == "marketing"


def _refused(error: PartialError) -> ApiError:
    kind = NotFound if error.type is ErrorType.NOT_FOUND else Conflict
    return kind(error.message, code=error.code, title=error.user_title, advice=error.user_message)
