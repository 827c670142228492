"""webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.create_table("webhooks",
    sa.Column("webhook_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("topic", sa.Text(), nullable=False),
    sa.Column("type", sa.Text(), nullable=False),
    sa.Column("address", sa.Text(), nullable=False),
    sa.Column("secret", sa.Text(), nullable=False),
    sa.Column("echo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    sa.Column("channel_types", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column("filters", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("campaign_patterns", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("busy_until", sa.DateTime(timezone=True), nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_webhooks_business_id")),
    sa.PrimaryKeyConstraint("webhook_id", name=op.f("pk_webhooks")),
    sa.UniqueConstraint("business_id", "topic", name=op.f("uq_webhooks_business_id_topic"))
    )
    op.create_table("webhook_events",
    sa.Column("event_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column("webhook_id", sa.Uuid(), nullable=False),
    sa.Column("key", sa.Text(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("error_code", sa.Text(), nullable=True),
    sa.Column("error_message", sa.Text(), nullable=True),
    sa.Column("details", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.Column("state", sa.Text(), server_default="pending", nullable=False),
    sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
    sa.Column("pending_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("last_error", sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint("event_id", name=op.f("pk_webhook_events"))
    )
    op.create_index("ix_webhook_events_due", "webhook_events", ["webhook_id", "next_at", "event_id"], unique=False, postgresql_where=sa.text("state = 'pending'"))
    op.create_index("ix_webhook_events_key", "webhook_events", ["webhook_id", "key", "event_id"], unique=False)
    op.create_index("ix_webhook_events_failed", "webhook_events", ["webhook_id", "event_id"], unique=False, postgresql_where=sa.text("state = 'failed'"))


def downgrade() -> None:
    op.drop_table("webhook_events")
    op.drop_table("webhooks")
