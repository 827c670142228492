"""The record: what was accepted, what was sent, what came back. Times are the database's own."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def now_column(name: str = "created_at") -> Column[object]:
    """When the row was written, unless it says otherwise."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def time_column(name: str) -> Column[object]:
    """A time that may be unknown, or not have come yet."""
    return Column(name, DateTime(timezone=True))


def business_column() -> Column[object]:
    """Whose row it is."""
    return Column("business_id", ForeignKey("businesses.business_id"), nullable=False)


# --- who sends ---------------------------------------------------------------------------------

businesses = Table(
    "businesses",
    metadata,
    Column("business_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    # IANA name; of windows that go by the recipient's zone where that is not known.
    Column("timezone", Text, nullable=False, server_default="UTC"),
    now_column(),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    business_column(),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    # SHA-256 of the key: keys are 256 random bits, so a slow hash would add nothing.
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    now_column(),
    time_column("revoked_at"),
    time_column("last_used_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("business_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("body", Text),
    now_column(),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

channels = Table(
    "channels",
    metadata,
    Column("channel_id", Uuid, primary_key=True),
    business_column(),
    Column("phone_number", Text, nullable=False),
    Column("phone_number_id", Text, nullable=False, unique=True),
    Column("waba_id", Text, nullable=False),
    Column("access_token", Text, nullable=False),
    Column("app_secret", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Column("messages_per_second", Integer, nullable=False, server_default=text("60")),
    time_column("held_since"),
    Column("hold_code", Integer),
    Column("hold_message", Text),
    Column("hold_by", Text),
    # When its last hold was ended: failures of before that hold it no more.
    time_column("released_at"),
    now_column(),
    UniqueConstraint("business_id", "phone_number"),
    Index("ix_channels_default", "business_id", unique=True, postgresql_where=text("is_default")),
)

# --- what is sent ------------------------------------------------------------------------------

flows = Table(
    "flows",
    metadata,
    # SHA-256 of the document as canonical JSON, in hex: a flow's name is its content.
    Column("flow_hash", Text, primary_key=True),
    Column("document", Text, nullable=False),
    now_column(),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    business_column(),
    Column("name", Text, nullable=False),
    # campaign, or messages: what single messages of one tag, or none, are entries of (ADR 11)
    Column("kind", Text, nullable=False, server_default="campaign"),
    Column("state", Text, nullable=False, server_default="draft"),
    # The state an archived campaign comes back to.
    Column("archived_from", Text),
    Column("newest_version", Text),
    Column("draft", JSON),
    Column("draft_revision", Integer, nullable=False, server_default=text("0")),
    # The flow that was last tested: a draft equal to it counts as tested.
    Column("tested_flow_hash", Text),
    now_column(),
    now_column("updated_at"),
    Index("ix_campaigns_business_id_created_at", "business_id", "created_at"),
    Index(
        "ix_campaigns_messages",
        "business_id",
        "name",
        unique=True,
        postgresql_where=text("kind = 'messages'"),
    ),
)

campaign_names = Table(
    "campaign_names",
    metadata,
    # Every name that leads to a campaign (NFC): its present one, and those it was published under.
    Column("business_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("campaign_id", ForeignKey(campaigns.c.campaign_id), nullable=False),
    Column("was_published", Boolean, nullable=False, server_default=text("false")),
)

campaign_versions = Table(
    "campaign_versions",
    metadata,
    Column("campaign_id", ForeignKey(campaigns.c.campaign_id), primary_key=True),
    Column("campaign_version", Text, primary_key=True),
    Column("flow_hash", ForeignKey(flows.c.flow_hash), nullable=False),
    # published, alias (made by `create_new`), test or import
    Column("kind", Text, nullable=False, server_default="published"),
    now_column(),
)

sendouts = Table(
    "sendouts",
    metadata,
    Column("sendout_id", Uuid, primary_key=True),
    business_column(),
    Column("campaign_id", ForeignKey(campaigns.c.campaign_id), nullable=False),
    Column("campaign_version", Text, nullable=False),
    Column("flow_hash", ForeignKey(flows.c.flow_hash), nullable=False),
    Column("label", Text),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="running"),
    Column("is_current", Boolean, nullable=False),
    Column("skip_nodes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    now_column(),
    Index("ix_sendouts_business_id_created_at", "business_id", "created_at"),
    Index("ix_sendouts_campaign_id_created_at", "campaign_id", "created_at"),
    Index(
        "ix_sendouts_current",
        "campaign_id",
        "campaign_version",
        unique=True,
        postgresql_where=text("is_current"),
    ),
)

entries = Table(
    "entries",
    metadata,
    Column("entry_id", Uuid, primary_key=True),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    # No foreign keys: what they name is never deleted, acceptance has locked the sendout, and a
    # check per row is a fifth of the time that accepting 10,000 of them takes.
    Column("sendout_id", Uuid, nullable=False),
    Column("business_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("client", Text, nullable=False),
    # JSON as text keeps numbers as they were written.
    Column("variables", JSON, nullable=False),
    Column("callback_data", JSON),
    # queued (also while scheduled), running, or how it ended
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    time_column("scheduled_at"),
    now_column("due_at"),
    now_column(),
    time_column("started_at"),
    time_column("finished_at"),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("duplicate_of", Uuid),
    Column("snapshot", JSON),
    Column("output_variables", JSON),
    Index("ix_entries_sendout_id_position", "sendout_id", "position"),
    Index("ix_entries_business_id_client", "business_id", "client"),
    Index(
        "ix_entries_queued",
        "sendout_id",
        "due_at",
        "position",
        postgresql_where=text("state = 'queued'"),
    ),
    Index("ix_entries_sendout_id_state", "sendout_id", "state"),
    # Of a day's report; summaries of ranges of rows, which cost next to nothing to keep.
    Index("ix_entries_finished_at", "finished_at", postgresql_using="brin"),
)

claims = Table(
    "claims",
    metadata,
    # One sending of a campaign to a customer (design: never twice); it outlives purges.
    Column("campaign_id", Uuid, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("entry_id", Uuid, nullable=False),
    Index("ix_claims_entry_id", "entry_id"),
)

# --- what became of it -------------------------------------------------------------------------

messages = Table(
    "messages",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("entry_id", ForeignKey(entries.c.entry_id), nullable=False),
    Column("sendout_id", Uuid, nullable=False),
    Column("channel_id", Uuid, nullable=False),
    Column("client", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("node", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    # held, sending, retrying, sent, refused, failed, unknown, given_up, skipped, opted_out, expired
    Column("state", Text, nullable=False),
    Column("wamid", Text, unique=True),
    Column("template", Text),
    Column("text", Text),
    Column("led_by", Text),
    Column("lease_attempt", Integer),
    time_column("lease_until"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    # sendout, channel, template (which is then the one that is held) or window; null once it is
    # released
    Column("held_for", Text),
    # When the window it waits for opens, or its time is over.
    time_column("held_until"),
    now_column(),
    time_column("unknown_since"),
    time_column("accepted_at"),
    time_column("sent_at"),
    time_column("delivered_at"),
    time_column("read_at"),
    time_column("failed_at"),
    Column("error_code", Integer),
    Column("error_message", Text),
    Column("awaits_delivery", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("entry_id", "attempt", "node", "visit"),
    Index("ix_messages_sendout_id_node", "sendout_id", "node"),
    Index("ix_messages_channel_id_client", "channel_id", "client"),
    Index("ix_messages_accepted_at", "accepted_at", postgresql_using="brin"),
    Index(
        "ix_messages_unfinished",
        "state",
        "sendout_id",
        postgresql_where=text("state IN ('held', 'sending', 'unknown')"),
    ),
)

clicks = Table(
    "clicks",
    metadata,
    # The first tap of each button of each message; further taps are only in `inbound`.
    Column("message_id", ForeignKey(messages.c.message_id), primary_key=True),
    Column("button", Text, primary_key=True),
    Column("entry_id", Uuid, nullable=False),
    Column("sendout_id", Uuid, nullable=False),
    Column("node", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("inbound_id", Text, nullable=False),
    now_column("clicked_at"),
    Index("ix_clicks_entry_id", "entry_id"),
    Index("ix_clicks_sendout_id_node", "sendout_id", "node"),
)

run_signals = Table(
    "run_signals",
    metadata,
    # The outbox to the runs: written with the fact, removed when the run has it.
    Column("signal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", JSON, nullable=False),
    now_column(),
)

asks = Table(
    "asks",
    metadata,
    Column("entry_id", Uuid, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("visit", Integer, primary_key=True),
    Column("channel_id", Uuid, nullable=False),
    Column("client", Text, nullable=False),
    now_column("opened_at"),
    time_column("closed_at"),
    Column("inbound_id", Text),
    Column("answer", Text),
    Index("ix_asks_open", "channel_id", "client", postgresql_where=text("closed_at IS NULL")),
)

decisions = Table(
    "decisions",
    metadata,
    # Why a path went on or ended: one row per decision, for the timeline.
    Column("decision_id", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", Uuid, nullable=False),
    Column("node", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("inputs", JSON, nullable=False),
    now_column("decided_at"),
    Index("ix_decisions_entry_id", "entry_id"),
)
