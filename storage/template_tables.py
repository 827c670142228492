"""The templates of WhatsApp accounts, as far as the record knows them."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSON

from storage.tables import metadata, now_column, time_column

template_holds = Table(
    "template_holds",
    metadata,
    # Templates that are, or once were, held, of the WhatsApp accounts as each business has them.
    Column("business_id", Uuid, primary_key=True),
    Column("waba_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    time_column("held_since"),
    Column("hold_code", Integer),
    Column("hold_message", Text),
    Column("hold_by", Text),
    # Since when it stands so: older events of WhatsApp, which may come late, change nothing.
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

templates = Table(
    "templates",
    metadata,
    # The templates of WhatsApp accounts, as each business may read them, in Graph's own words.
    Column("business_id", Uuid, primary_key=True),
    Column("waba_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("definition", JSON, nullable=False),
    # Apart from the definition, because events change them: APPROVED, PAUSED …; MARKETING …
    Column("status", Text, nullable=False),
    Column("category", Text, nullable=False),
    now_column(),
    now_column("updated_at"),
    # When an event or a call of ours last said so: a list that was asked for before it is older.
    time_column("told_at"),
)

template_reads = Table(
    "template_reads",
    metadata,
    # When the templates of an account were last asked for.
    Column("business_id", Uuid, primary_key=True),
    Column("waba_id", Text, primary_key=True),
    Column("read_at", DateTime(timezone=True), nullable=False),
)
