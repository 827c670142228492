"""What WhatsApp told: what customers sent, and what nothing was known about (yet)."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from storage.tables import metadata, now_column, time_column

inbound = Table(
    "inbound",
    metadata,
    # Everything customers sent, by WhatsApp's id of it; `client` is a name of theirs.
    Column("inbound_id", Text, primary_key=True),
    Column("channel_id", Uuid, nullable=False),
    Column("client", Text),
    Column("user_id", Text),
    Column("kind", Text, nullable=False),
    Column("text", Text),
    Column("message_id", Text),
    Column("button", Text),
    time_column("written_at"),
    now_column("received_at"),
    Index("ix_inbound_channel_id_client_received_at", "channel_id", "client", "received_at"),
)

unread_events = Table(
    "unread_events",
    metadata,
    # Signed events that could not be read, or name a channel nobody has here.
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    now_column("received_at"),
)

early_statuses = Table(
    "early_statuses",
    metadata,
    # Statuses that no message is known for yet, kept for a day.
    Column("channel_id", Uuid, primary_key=True),
    Column("wamid", Text, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("message_id", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("error_code", Integer),
    Column("error_message", Text),
    Column("client", Text),
    Column("user_id", Text),
    now_column("received_at"),
    Index("ix_early_statuses_received_at", "received_at"),
)
