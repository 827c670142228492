"""A customer across all sendouts: what a person in support is asked about (api.md section 4)."""

from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path

from api.deps import AppDatabase, CanRead
from api.entry_answers import ExactJson, entry_json
from api.schemas.common import Entity
from api.schemas.entries import Customer, CustomerMessage, LastInbound, OptOut
from domain.errors import BadRequest, NotFound
from domain.inbound import parse_user_id
from domain.phone import parse_phone
from domain.timeline import MessageFact
from storage.customer_history import KnownCustomer, read_customer
from storage.entries import CustomerEntry, entries_of_customer
from storage.timeline import messages_of_customer

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["customers"])

CustomerName: TypeAlias = Annotated[
    str, Path(alias="client", max_length=160, description="A phone number, or a user id.")
]


@router.get("/customers/{client}", operation_id="readCustomer", response_model=Entity[Customer])
async def read_one(caller: CanRead, database: AppDatabase, client: CustomerName) -> ExactJson:
    """Names, opt-out, last inbound, and all entries and messages, newest first.

    Any name of the customer leads to all of it.
    """
    name = customer_name(client)
    async with database.transaction() as connection:
        known = await read_customer(connection, caller.business_id, name)
        entries = await entries_of_customer(connection, caller.business_id, known.names)
        messages = await messages_of_customer(connection, caller.business_id, known.names)
    if not (entries or messages or known.opt_out or known.last_inbound):
        raise NotFound("Nothing is known of this customer: no entry, no message, no opt-out.")
    return ExactJson(
        {
            "entity": {
                "client": known.names[0],
                **_known(known),
                "entries": [_entry(entry) for entry in entries],
                "messages": [_message(*message) for message in messages],
            }
        }
    )


def customer_name(text: str) -> str:
    """A customer's number in E.164, or user id. Raises `BadRequest`."""
    # A `+` that was not escaped arrives as a space, which phone numbers may begin with.
    name = parse_phone(text) or parse_user_id(text)
    if name is None:
        raise BadRequest(
            "`client` must be a phone number, for example +16045552331, or the user id that "
            "WhatsApp gives a customer, for example CA.13491208655302741918."
        )
    return name


def _known(known: KnownCustomer) -> dict[str, Any]:
    out, last = known.opt_out, known.last_inbound
    opt_out = out and OptOut(source=out.source, by_hand=out.by_hand, at=out.at)
    last_inbound = last and LastInbound(kind=last.kind, text=last.text, at=last.at)
    return {
        "names": known.names,
        "optOut": opt_out and opt_out.model_dump(mode="json", by_alias=True),
        "lastInbound": last_inbound and last_inbound.model_dump(mode="json", by_alias=True),
    }


def _entry(found: CustomerEntry) -> dict[str, Any]:
    return entry_json(found.entry) | {
        "campaignId": found.campaign_id and str(found.campaign_id),
        "campaignName": found.campaign_name,
        "campaignVersion": found.campaign_version,
        "source": found.source,
    }


def _message(sendout_id: UUID, entry_id: UUID, message: MessageFact) -> dict[str, Any]:
    shown = CustomerMessage(
        message_id=message.message_id,
        sendout_id=sendout_id,
        entry_id=entry_id,
        node=message.node,
        visit=message.visit,
        attempt=message.attempt,
        state=message.state,
        template=message.template,
        text=message.text,
        sender=message.sender,
        wamid=message.wamid,
        created_at=message.created_at,
        sent_at=message.sent_at,
        delivered_at=message.delivered_at,
        read_at=message.read_at,
        failed_at=message.failed_at,
    )
    return shown.model_dump(mode="json", by_alias=True)
