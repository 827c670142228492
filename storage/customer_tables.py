"""Customers: what they are called, and what they are not sent."""

from sqlalchemy import Boolean, Column, DateTime, Index, Table, Text, Uuid, text

from storage.tables import metadata, now_column

customer_numbers = Table(
    "customer_numbers",
    metadata,
    # The numbers of customers that have more than one: those of one customer share `client`.
    Column("business_id", Uuid, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("client", Text, nullable=False),
    Index("ix_customer_numbers_business_id_client", "business_id", "client"),
)

customer_user_ids = Table(
    "customer_user_ids",
    metadata,
    # WhatsApp's user ids, each with a number of the customer.
    Column("business_id", Uuid, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("client", Text, nullable=False),
    Index("ix_customer_user_ids_business_id_client", "business_id", "client"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("business_id", Uuid, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("by_hand", Boolean, nullable=False, server_default=text("false")),
    now_column("opted_out_at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    # Customers to whom no marketing template is sent for now, because WhatsApp withheld one.
    Column("business_id", Uuid, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
)
