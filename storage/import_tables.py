"""Imports: CSV files that were uploaded and checked, until they are started."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON

from storage.tables import business_column, metadata, now_column, time_column

imports = Table(
    "imports",
    metadata,
    Column("import_id", Uuid, primary_key=True),
    business_column(),
    Column("campaign_id", Uuid, nullable=False),
    # As it was asked for: a rename meanwhile changes nothing.
    Column("campaign_name", Text, nullable=False),
    # The version that the rows were checked against, and its flow.
    Column("campaign_version", Text, nullable=False),
    Column("flow_hash", Text, nullable=False),
    Column("label", Text),
    Column("allow_multiple", Boolean, nullable=False),
    # How the file was read and which rows were refused: what no later event changes.
    Column("report", JSON, nullable=False),
    # What was foreseen of the good rows when it was started.
    Column("forecast", JSON),
    Column("sendout_id", Uuid),
    now_column(),
    time_column("started_at"),
)

import_rows = Table(
    "import_rows",
    metadata,
    # The good rows of imports that are not started. No foreign key: a check per row would cost more
    # than the row, and both are removed together.
    Column("import_id", Uuid, primary_key=True),
    # As a spreadsheet counts rows: the header is row 1.
    Column("position", Integer, primary_key=True),
    # The entry it becomes.
    Column("entry_id", Uuid, nullable=False),
    Column("client", Text, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("variables", JSON, nullable=False),
    Column("callback_data", JSON),
    time_column("scheduled_at"),
)
