"""held templates."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.add_column("channels", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table("template_holds",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("waba_id", sa.Text(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("language", sa.Text(), nullable=False),
    sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
    sa.Column("hold_code", sa.Integer(), nullable=True),
    sa.Column("hold_message", sa.Text(), nullable=True),
    sa.Column("hold_by", sa.Text(), nullable=True),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "waba_id", "name", "language", name=op.f("pk_template_holds"))
    )
    op.create_table("early_statuses",
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("wamid", sa.Text(), nullable=False),
    sa.Column("status", sa.Text(), nullable=False),
    sa.Column("message_id", sa.Text(), nullable=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("error_code", sa.Integer(), nullable=True),
    sa.Column("error_message", sa.Text(), nullable=True),
    sa.Column("client", sa.Text(), nullable=True),
    sa.Column("user_id", sa.Text(), nullable=True),
    sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("channel_id", "wamid", "status", name=op.f("pk_early_statuses"))
    )
    op.create_index("ix_early_statuses_received_at", "early_statuses", ["received_at"], unique=False)
    op.create_table("suppressions",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "client", name=op.f("pk_suppressions"))
    )


def downgrade() -> None:
    op.drop_table("suppressions")
    op.drop_index("ix_early_statuses_received_at", table_name="early_statuses")
    op.drop_table("early_statuses")
    op.drop_table("template_holds")
    op.drop_column("channels", "released_at")
