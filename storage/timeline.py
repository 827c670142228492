"""Reads the facts a customer's timeline is told from: one statement per kind of fact."""

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.timeline import (
    AskFact,
    ClickFact,
    DecisionFact,
    History,
    InboundFact,
    MessageFact,
)
from storage.entries import Entry
from storage.identity import names_of_entry
from storage.inbound_tables import inbound
from storage.tables import asks, channels, clicks, decisions, flows, messages, sendouts

_F = TypeVar("_F")

# What a customer wrote long after a run has ended belongs to no run any more: as long as runs stay
# open for clicks by default (flow.md 2.6).
_AFTERMATH: ColumnElement[timedelta] = literal_column("interval '24 hours'", Interval())


async def read_history(connection: AsyncConnection, entry: Entry) -> History:
    """All that is recorded about an entry, each kind in the order in which it happened."""
    version, document = await _flow_of(connection, entry.sendout_id)
    of_entry = entry.entry_id
    names = await names_of_entry(connection, of_entry)
    return History(
        campaign_version=version,
        flow=json.loads(document),
        messages=await _facts(
            connection,
            MessageFact,
            _messages().where(messages.c.entry_id == of_entry).order_by(*_MESSAGE_ORDER),
        ),
        clicks=await _facts(connection, ClickFact, _clicks(of_entry)),
        decisions=await _facts(connection, DecisionFact, _decisions(of_entry)),
        asks=await _facts(connection, AskFact, _asks(of_entry)),
        inbound=await _facts(connection, InboundFact, _inbound(entry, names)),
    )


async def messages_of_customer(
    connection: AsyncConnection, business_id: UUID, names: Collection[str]
) -> list[tuple[UUID, UUID, MessageFact]]:
    """Every message to a customer of these names with its sendout and entry, newest first."""
    query = (
        _messages()
        .add_columns(messages.c.sendout_id, messages.c.entry_id)
        .where(channels.c.business_id == business_id, messages.c.client.in_(names))
        .order_by(messages.c.created_at.desc(), messages.c.message_id.desc())
    )
    found = []
    for row in await connection.execute(query):
        fields = row._asdict()
        sendout_id, entry_id = fields.pop("sendout_id"), fields.pop("entry_id")
        found.append((sendout_id, entry_id, MessageFact(**fields)))
    return found


async def sendout_state(connection: AsyncConnection, sendout_id: UUID) -> str:
    """Whether the sendout is running, paused or cancelled."""
    query = select(sendouts.c.state).where(sendouts.c.sendout_id == sendout_id)
    return str((await connection.execute(query)).scalar_one())


async def _facts(connection: AsyncConnection, kind: type[_F], query: Select[Any]) -> list[_F]:
    return [kind(**row._asdict()) for row in await connection.execute(query)]


async def _flow_of(connection: AsyncConnection, sendout_id: UUID) -> tuple[str, str]:
    query = (
        select(sendouts.c.campaign_version, flows.c.document)
        .join(flows, flows.c.flow_hash == sendouts.c.flow_hash)
        .where(sendouts.c.sendout_id == sendout_id)
    )
    version, document = (await connection.execute(query)).one()
    return version, document


_MESSAGE_ORDER = (messages.c.created_at, messages.c.attempt, messages.c.number)


def _messages() -> Select[Any]:
    c = messages.c
    return select(
        c.message_id,
        c.attempt,
        c.node,
        c.visit,
        c.state,
        c.wamid,
        c.template,
        c.text,
        channels.c.phone_number.label("sender"),
        c.tries,
        c.held_for,
        c.held_until,
        c.created_at,
        c.accepted_at,
        c.unknown_since,
        c.sent_at,
        c.delivered_at,
        c.read_at,
        c.failed_at,
        c.error_code,
        c.error_message,
    ).join(channels, channels.c.channel_id == c.channel_id)


def _clicks(entry_id: UUID) -> Select[Any]:
    c = clicks.c
    return (
        select(c.message_id, c.node, c.button, c.inbound_id, c.clicked_at)
        .where(c.entry_id == entry_id)
        .order_by(c.clicked_at)
    )


def _decisions(entry_id: UUID) -> Select[Any]:
    c = decisions.c
    return (
        select(c.node, c.verdict, c.inputs, c.decided_at)
        .where(c.entry_id == entry_id)
        .order_by(c.decision_id)
    )


def _asks(entry_id: UUID) -> Select[Any]:
    c = asks.c
    return (
        select(c.node, c.visit, c.opened_at, c.closed_at, c.inbound_id, c.answer)
        .where(c.entry_id == entry_id)
        .order_by(c.opened_at)
    )


def _inbound(entry: Entry, names: Collection[str]) -> Select[Any]:
    """What the customer sent to that sender from acceptance until a while after the end."""
    c = inbound.c
    query = (
        select(c.inbound_id, c.kind, c.text, c.message_id, c.button, c.received_at)
        .where(
            c.channel_id == entry.channel_id,
            c.client.in_(names),
            c.received_at >= entry.created_at,
        )
        .order_by(c.received_at)
    )
    # Taps of another run's messages are told there.
    own = select(messages.c.message_id).where(messages.c.entry_id == entry.entry_id)
    query = query.where(c.message_id.is_(None) | c.message_id.in_(own))
    if entry.finished_at is not None:
        last = func.coalesce(
            select(func.max(clicks.c.clicked_at))
            .where(clicks.c.entry_id == entry.entry_id)
            .scalar_subquery(),
            entry.finished_at,
        )
        query = query.where(c.received_at <= func.greatest(last, entry.finished_at) + _AFTERMATH)
    return query
