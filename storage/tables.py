"""The record: what was accepted, what was sent, what came back. Times are the database's own."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
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


def _now(name: str = "created_at") -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


# --- who sends ---------------------------------------------------------------------------------

businesses = Table(
    "businesses",
    metadata,
    Column("business_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    # IANA name; of windows that go by the recipient's zone where that is not known.
    Column("timezone", Text, nullable=False, server_default="UTC"),
    _now(),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("business_id", ForeignKey(businesses.c.business_id), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    # SHA-256 of the key: keys are 256 random bits, so a slow hash would add nothing.
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    _now(),
    _time("revoked_at"),
    _time("last_used_at"),
)

channels = Table(
    "channels",
    metadata,
    Column("channel_id", Uuid, primary_key=True),
    Column("business_id", ForeignKey(businesses.c.business_id), nullable=False),
    Column("phone_number", Text, nullable=False),
    Column("phone_number_id", Text, nullable=False, unique=True),
    Column("waba_id", Text, nullable=False),
    Column("access_token", Text, nullable=False),
    Column("app_secret", Text, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=text("false")),
    Column("messages_per_second", Integer, nullable=False, server_default=text("60")),
    _time("held_since"),
    Column("hold_code", Integer),
    Column("hold_message", Text),
    Column("hold_by", Text),
    # When its last hold was ended: failures of before that hold it no more.
    _time("released_at"),
    _now(),
    UniqueConstraint("business_id", "phone_number"),
    Index("ix_channels_default", "business_id", unique=True, postgresql_where=text("is_default")),
)

template_holds = Table(
    "template_holds",
    metadata,
    # Templates that are, or once were, held, of the WhatsApp accounts as each business has them.
    Column("business_id", Uuid, primary_key=True),
    Column("waba_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    _time("held_since"),
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
    _now(),
    _now("updated_at"),
    # When an event or a call of ours last said so: a list that was asked for before it is older.
    _time("told_at"),
)

template_reads = Table(
    "template_reads",
    metadata,
    # When the templates of an account were last asked for.
    Column("business_id", Uuid, primary_key=True),
    Column("waba_id", Text, primary_key=True),
    Column("read_at", DateTime(timezone=True), nullable=False),
)

# --- what is sent ------------------------------------------------------------------------------

flows = Table(
    "flows",
    metadata,
    # SHA-256 of the document as canonical JSON, in hex: a flow's name is its content.
    Column("flow_hash", Text, primary_key=True),
    Column("document", Text, nullable=False),
    _now(),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign_id", Uuid, primary_key=True),
    Column("business_id", ForeignKey(businesses.c.business_id), nullable=False),
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
    _now(),
    _now("updated_at"),
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
    _now(),
)

sendouts = Table(
    "sendouts",
    metadata,
    Column("sendout_id", Uuid, primary_key=True),
    Column("business_id", ForeignKey(businesses.c.business_id), nullable=False),
    Column("campaign_id", ForeignKey(campaigns.c.campaign_id), nullable=False),
    Column("campaign_version", Text, nullable=False),
    Column("flow_hash", ForeignKey(flows.c.flow_hash), nullable=False),
    Column("label", Text),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="running"),
    Column("is_current", Boolean, nullable=False),
    Column("skip_nodes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    _now(),
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
    _time("scheduled_at"),
    _now("due_at"),
    _now(),
    _time("started_at"),
    _time("finished_at"),
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

# --- who is who --------------------------------------------------------------------------------

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
    _time("lease_until"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    # sendout, channel, template (which is then the one that is held) or window; null once it is
    # released
    Column("held_for", Text),
    # When the window it waits for opens, or its time is over.
    _time("held_until"),
    _now(),
    _time("unknown_since"),
    _time("accepted_at"),
    _time("sent_at"),
    _time("delivered_at"),
    _time("read_at"),
    _time("failed_at"),
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
    _now("clicked_at"),
    Index("ix_clicks_entry_id", "entry_id"),
    Index("ix_clicks_sendout_id_node", "sendout_id", "node"),
)

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
    _time("written_at"),
    _now("received_at"),
    Index("ix_inbound_channel_id_client_received_at", "channel_id", "client", "received_at"),
)

unread_events = Table(
    "unread_events",
    metadata,
    # Signed events that could not be read, or name a channel nobody has here.
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    _now("received_at"),
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
    _now("received_at"),
    Index("ix_early_statuses_received_at", "received_at"),
)

run_signals = Table(
    "run_signals",
    metadata,
    # The outbox to the runs: written with the fact, removed when the run has it.
    Column("signal_id", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("body", JSON, nullable=False),
    _now(),
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
    _now("opened_at"),
    _time("closed_at"),
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
    _now("decided_at"),
    Index("ix_decisions_entry_id", "entry_id"),
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("business_id", Uuid, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("by_hand", Boolean, nullable=False, server_default=text("false")),
    _now("opted_out_at"),
)

suppressions = Table(
    "suppressions",
    metadata,
    # Customers to whom no marketing template is sent for now, because WhatsApp withheld one.
    Column("business_id", Uuid, primary_key=True),
    Column("client", Text, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("business_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("body", Text),
    _now(),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

# --- webhooks to the business ------------------------------------------------------------------

webhooks = Table(
    "webhooks",
    metadata,
    # Where events of a topic are sent; a row that is gone stops its deliveries at once.
    Column("webhook_id", Uuid, primary_key=True),
    Column("business_id", ForeignKey(businesses.c.business_id), nullable=False),
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
    _time("paused_until"),
    # Somebody delivers until then: no need to wake anybody.
    _time("busy_until"),
    _now(),
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
    _now("pending_since"),
    # When it is tried next; while it is being tried, when that counts as lost.
    _now("next_at"),
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

# --- reports -----------------------------------------------------------------------------------

report_runs = Table(
    "report_runs",
    metadata,
    # One day (UTC) of a business's daily report; the report itself is read from the record.
    Column("run_id", Uuid, primary_key=True),
    Column("business_id", ForeignKey(businesses.c.business_id), nullable=False),
    Column("day", Date, nullable=False),
    # processing, completed or failed
    Column("state", Text, nullable=False),
    _now(),
    _time("completed_at"),
    UniqueConstraint("business_id", "day"),
    Index("ix_report_runs_day", "day"),
)

server_secrets = Table(
    "server_secrets",
    metadata,
    # Secrets of this installation, by what they are for.
    Column("name", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    _now(),
)
