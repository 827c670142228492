"""Daily reports, and the secrets of this installation, which their links are signed with."""

from sqlalchemy import Column, Date, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid

from storage.tables import business_column, metadata, now_column, time_column

report_runs = Table(
    "report_runs",
    metadata,
    # One day (UTC) of a business's daily report; the report itself is read from the record.
    Column("run_id", Uuid, primary_key=True),
    business_column(),
    Column("day", Date, nullable=False),
    # processing, completed or failed
    Column("state", Text, nullable=False),
    now_column(),
    time_column("completed_at"),
    UniqueConstraint("business_id", "day"),
    Index("ix_report_runs_day", "day"),
)

server_secrets = Table(
    "server_secrets",
    metadata,
    # Secrets of this installation, by what they are for.
    Column("name", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    now_column(),
)
