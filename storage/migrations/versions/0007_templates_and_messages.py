"""templates and messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.create_table("templates",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("waba_id", sa.Text(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("language", sa.Text(), nullable=False),
    sa.Column("definition", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("status", sa.Text(), nullable=False),
    sa.Column("category", sa.Text(), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint("business_id", "waba_id", "name", "language", name=op.f("pk_templates"))
    )
    op.create_table("template_reads",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("waba_id", sa.Text(), nullable=False),
    sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "waba_id", name=op.f("pk_template_reads"))
    )
    op.add_column("campaigns", sa.Column("kind", sa.Text(), server_default="campaign", nullable=False))
    op.create_index("ix_campaigns_messages", "campaigns", ["business_id", "name"], unique=True, postgresql_where=sa.text("kind = 'messages'"))


def downgrade() -> None:
    op.drop_index("ix_campaigns_messages", table_name="campaigns")
    op.drop_column("campaigns", "kind")
    op.drop_table("template_reads")
    op.drop_table("templates")
