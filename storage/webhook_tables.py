"""Webhooks to the business, and the outbox of what they are told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from storage.tables import business_column, metadata, now_column, time_column

webhooks = Table(
    "webhooks",
    metadata,
    # Where events of a topic are sent; a row that is gone stops its deliveries at once.
    Column("webhook_id", Uuid, primary_key=True),
    business_column(),
    # messages, delivery_status or report
    Column("topic", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("echo", Boolean, nullable=False, server_default=text("false")),
    Column("channel_types", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # The filters as they were given, and their globs as patterns of LIKE.
    Column("filters", JSON, nullable=False),
    Column("campaign_patterns", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    # Rounds of delivery in which nothing got through, since something last did.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    time_column("paused_until"),
    # Somebody delivers until then: no need to wake anybody.
    time_column("busy_until"),
    now_column(),
    UniqueConstraint("business_id", "topic"),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    # The outbox to the businesses: written with the fact, removed when it is delivered. No foreign
    # keys: what they name is looked up when the body is made.
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("webhook_id", Uuid, nullable=False),
    # What its order is kept by: our message id, WhatsApp's id of an inbound one, a report's run.
    Column("key", Text, nullable=False),
    # sent, delivered, read, delivery_failed, echo, inbound or report
    Column("kind", Text, nullable=False),
    Column("happened_at", DateTime(timezone=True), nullable=False),
    Column("error_code", Text),
    Column("error_message", Text),
    # What of its body the record keeps nowhere else.
    Column("details", JSON),
    # pending, or failed: given up, until somebody asks for it again
    Column("state", Text, nullable=False, server_default="pending"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    now_column("pending_since"),
    # When it is tried next; while it is being tried, when that counts as lost.
    now_column("next_at"),
    Column("last_error", Text),
    Index(
        "ix_webhook_events_due",
        "webhook_id",
        "next_at",
        "event_id",
        postgresql_where=text("state = 'pending'"),
    ),
    Index("ix_webhook_events_key", "webhook_id", "key", "event_id"),
    Index(
        "ix_webhook_events_failed",
        "webhook_id",
        "event_id",
        postgresql_where=text("state = 'failed'"),
    ),
)
