"""the record."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.create_table("asks",
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("attempt", sa.Integer(), nullable=False),
    sa.Column("node", sa.Text(), nullable=False),
    sa.Column("visit", sa.Integer(), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("inbound_id", sa.Text(), nullable=True),
    sa.Column("answer", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("entry_id", "attempt", "node", "visit", name=op.f("pk_asks"))
    )
    op.create_index("ix_asks_open", "asks", ["channel_id", "client"], unique=False, postgresql_where=sa.text("closed_at IS NULL"))
    op.create_table("businesses",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("business_id", name=op.f("pk_businesses"))
    )
    op.create_table("claims",
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint("campaign_id", "client", name=op.f("pk_claims"))
    )
    op.create_index("ix_claims_entry_id", "claims", ["entry_id"], unique=False)
    op.create_table("decisions",
    sa.Column("decision_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("node", sa.Text(), nullable=False),
    sa.Column("verdict", sa.Text(), nullable=False),
    sa.Column("inputs", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("decided_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decisions"))
    )
    op.create_index("ix_decisions_entry_id", "decisions", ["entry_id"], unique=False)
    op.create_table("flows",
    sa.Column("flow_hash", sa.Text(), nullable=False),
    sa.Column("document", sa.Text(), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("flow_hash", name=op.f("pk_flows"))
    )
    op.create_table("idempotency_keys",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("request_hash", sa.LargeBinary(), nullable=False),
    sa.Column("status", sa.Integer(), nullable=True),
    sa.Column("body", sa.Text(), nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "key", name=op.f("pk_idempotency_keys"))
    )
    op.create_table("inbound",
    sa.Column("inbound_id", sa.Text(), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=True),
    sa.Column("user_id", sa.Text(), nullable=True),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("text", sa.Text(), nullable=True),
    sa.Column("message_id", sa.Text(), nullable=True),
    sa.Column("button", sa.Text(), nullable=True),
    sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("inbound_id", name=op.f("pk_inbound"))
    )
    op.create_index("ix_inbound_channel_id_client_received_at", "inbound", ["channel_id", "client", "received_at"], unique=False)
    op.create_table("opt_outs",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.Column("opted_out_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "client", name=op.f("pk_opt_outs"))
    )
    op.create_table("run_signals",
    sa.Column("signal_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("body", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_run_signals"))
    )
    op.create_table("unread_events",
    sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("body", sa.LargeBinary(), nullable=False),
    sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("event_id", name=op.f("pk_unread_events"))
    )
    op.create_table("api_keys",
    sa.Column("key_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column("key_hash", sa.LargeBinary(), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_api_keys_business_id")),
    sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
    sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash"))
    )
    op.create_table("campaigns",
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("state", sa.Text(), server_default="draft", nullable=False),
    sa.Column("archived_from", sa.Text(), nullable=True),
    sa.Column("newest_version", sa.Text(), nullable=True),
    sa.Column("draft", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.Column("draft_revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("tested_flow_hash", sa.Text(), nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_campaigns_business_id")),
    sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaigns"))
    )
    op.create_index("ix_campaigns_business_id_created_at", "campaigns", ["business_id", "created_at"], unique=False)
    op.create_table("channels",
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("phone_number", sa.Text(), nullable=False),
    sa.Column("phone_number_id", sa.Text(), nullable=False),
    sa.Column("waba_id", sa.Text(), nullable=False),
    sa.Column("access_token", sa.Text(), nullable=False),
    sa.Column("app_secret", sa.Text(), nullable=False),
    sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.Column("messages_per_second", sa.Integer(), server_default=sa.text("60"), nullable=False),
    sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
    sa.Column("hold_code", sa.Integer(), nullable=True),
    sa.Column("hold_message", sa.Text(), nullable=True),
    sa.Column("hold_by", sa.Text(), nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_channels_business_id")),
    sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_channels")),
    sa.UniqueConstraint("business_id", "phone_number", name=op.f("uq_channels_business_id_phone_number")),
    sa.UniqueConstraint("phone_number_id", name=op.f("uq_channels_phone_number_id"))
    )
    op.create_index("ix_channels_default", "channels", ["business_id"], unique=True, postgresql_where=sa.text("is_default"))
    op.create_table("campaign_names",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("was_published", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_campaign_names_campaign_id")),
    sa.PrimaryKeyConstraint("business_id", "name", name=op.f("pk_campaign_names"))
    )
    op.create_table("campaign_versions",
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("campaign_version", sa.Text(), nullable=False),
    sa.Column("flow_hash", sa.Text(), nullable=False),
    sa.Column("kind", sa.Text(), server_default="published", nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_campaign_versions_campaign_id")),
    sa.ForeignKeyConstraint(["flow_hash"], ["flows.flow_hash"], name=op.f("fk_campaign_versions_flow_hash")),
    sa.PrimaryKeyConstraint("campaign_id", "campaign_version", name=op.f("pk_campaign_versions"))
    )
    op.create_table("sendouts",
    sa.Column("sendout_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("campaign_version", sa.Text(), nullable=False),
    sa.Column("flow_hash", sa.Text(), nullable=False),
    sa.Column("label", sa.Text(), nullable=True),
    sa.Column("source", sa.Text(), nullable=False),
    sa.Column("state", sa.Text(), server_default="running", nullable=False),
    sa.Column("is_current", sa.Boolean(), nullable=False),
    sa.Column("skip_nodes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_sendouts_business_id")),
    sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.campaign_id"], name=op.f("fk_sendouts_campaign_id")),
    sa.ForeignKeyConstraint(["flow_hash"], ["flows.flow_hash"], name=op.f("fk_sendouts_flow_hash")),
    sa.PrimaryKeyConstraint("sendout_id", name=op.f("pk_sendouts"))
    )
    op.create_index("ix_sendouts_business_id_created_at", "sendouts", ["business_id", "created_at"], unique=False)
    op.create_index("ix_sendouts_campaign_id_created_at", "sendouts", ["campaign_id", "created_at"], unique=False)
    op.create_index("ix_sendouts_current", "sendouts", ["campaign_id", "campaign_version"], unique=True, postgresql_where=sa.text("is_current"))
    op.create_table("entries",
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("sendout_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("variables", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("callback_data", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False),
    sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("error_code", sa.Text(), nullable=True),
    sa.Column("error_message", sa.Text(), nullable=True),
    sa.Column("duplicate_of", sa.Uuid(), nullable=True),
    sa.Column("snapshot", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.Column("output_variables", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(["channel_id"], ["channels.channel_id"], name=op.f("fk_entries_channel_id")),
    sa.ForeignKeyConstraint(["sendout_id"], ["sendouts.sendout_id"], name=op.f("fk_entries_sendout_id")),
    sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entries")),
    sa.UniqueConstraint("position", name=op.f("uq_entries_position"))
    )
    op.create_index("ix_entries_business_id_client", "entries", ["business_id", "client"], unique=False)
    op.create_index("ix_entries_queued", "entries", ["sendout_id", "due_at", "position"], unique=False, postgresql_where=sa.text("state = 'queued'"))
    op.create_index("ix_entries_sendout_id_position", "entries", ["sendout_id", "position"], unique=False)
    op.create_index("ix_entries_sendout_id_state", "entries", ["sendout_id", "state"], unique=False)
    op.create_table("messages",
    sa.Column("message_id", sa.Text(), nullable=False),
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("sendout_id", sa.Uuid(), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("attempt", sa.Integer(), nullable=False),
    sa.Column("node", sa.Text(), nullable=False),
    sa.Column("visit", sa.Integer(), nullable=False),
    sa.Column("number", sa.Integer(), nullable=False),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("wamid", sa.Text(), nullable=True),
    sa.Column("template", sa.Text(), nullable=True),
    sa.Column("text", sa.Text(), nullable=True),
    sa.Column("led_by", sa.Text(), nullable=True),
    sa.Column("lease_attempt", sa.Integer(), nullable=True),
    sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("held_for", sa.Text(), nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("unknown_since", sa.DateTime(timezone=True), nullable=True),
    sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("error_code", sa.Integer(), nullable=True),
    sa.Column("error_message", sa.Text(), nullable=True),
    sa.Column("awaits_delivery", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.ForeignKeyConstraint(["entry_id"], ["entries.entry_id"], name=op.f("fk_messages_entry_id")),
    sa.PrimaryKeyConstraint("message_id", name=op.f("pk_messages")),
    sa.UniqueConstraint("entry_id", "attempt", "node", "visit", name=op.f("uq_messages_entry_id_attempt_node_visit")),
    sa.UniqueConstraint("wamid", name=op.f("uq_messages_wamid"))
    )
    op.create_index("ix_messages_channel_id_client", "messages", ["channel_id", "client"], unique=False)
    op.create_index("ix_messages_sendout_id_node", "messages", ["sendout_id", "node"], unique=False)
    op.create_index("ix_messages_unfinished", "messages", ["state", "sendout_id"], unique=False, postgresql_where=sa.text("state IN ('held', 'sending', 'unknown')"))
    op.create_table("clicks",
    sa.Column("message_id", sa.Text(), nullable=False),
    sa.Column("button", sa.Text(), nullable=False),
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("sendout_id", sa.Uuid(), nullable=False),
    sa.Column("node", sa.Text(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("inbound_id", sa.Text(), nullable=False),
    sa.Column("clicked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.ForeignKeyConstraint(["message_id"], ["messages.message_id"], name=op.f("fk_clicks_message_id")),
    sa.PrimaryKeyConstraint("message_id", "button", name=op.f("pk_clicks"))
    )
    op.create_index("ix_clicks_entry_id", "clicks", ["entry_id"], unique=False)
    op.create_index("ix_clicks_sendout_id_node", "clicks", ["sendout_id", "node"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_clicks_sendout_id_node", table_name="clicks")
    op.drop_index("ix_clicks_entry_id", table_name="clicks")
    op.drop_table("clicks")
    op.drop_index("ix_messages_unfinished", table_name="messages", postgresql_where=sa.text("state IN ('held', 'sending', 'unknown')"))
    op.drop_index("ix_messages_sendout_id_node", table_name="messages")
    op.drop_index("ix_messages_channel_id_client", table_name="messages")
    op.drop_table("messages")
    op.drop_index("ix_entries_sendout_id_state", table_name="entries")
    op.drop_index("ix_entries_sendout_id_position", table_name="entries")
    op.drop_index("ix_entries_queued", table_name="entries", postgresql_where=sa.text("state = 'queued'"))
    op.drop_index("ix_entries_business_id_client", table_name="entries")
    op.drop_table("entries")
    op.drop_index("ix_sendouts_current", table_name="sendouts", postgresql_where=sa.text("is_current"))
    op.drop_index("ix_sendouts_campaign_id_created_at", table_name="sendouts")
    op.drop_index("ix_sendouts_business_id_created_at", table_name="sendouts")
    op.drop_table("sendouts")
    op.drop_table("campaign_versions")
    op.drop_table("campaign_names")
    op.drop_index("ix_channels_default", table_name="channels", postgresql_where=sa.text("is_default"))
    op.drop_table("channels")
    op.drop_index("ix_campaigns_business_id_created_at", table_name="campaigns")
    op.drop_table("campaigns")
    op.drop_table("api_keys")
    op.drop_table("unread_events")
    op.drop_table("run_signals")
    op.drop_table("opt_outs")
    op.drop_index("ix_inbound_channel_id_client_received_at", table_name="inbound")
    op.drop_table("inbound")
    op.drop_table("idempotency_keys")
    op.drop_table("flows")
    op.drop_index("ix_decisions_entry_id", table_name="decisions")
    op.drop_table("decisions")
    op.drop_index("ix_claims_entry_id", table_name="claims")
    op.drop_table("claims")
    op.drop_table("businesses")
    op.drop_index("ix_asks_open", table_name="asks", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_table("asks")
