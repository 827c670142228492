"""imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.create_table("imports",
    sa.Column("import_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("campaign_id", sa.Uuid(), nullable=False),
    sa.Column("campaign_name", sa.Text(), nullable=False),
    sa.Column("campaign_version", sa.Text(), nullable=False),
    sa.Column("flow_hash", sa.Text(), nullable=False),
    sa.Column("label", sa.Text(), nullable=True),
    sa.Column("allow_multiple", sa.Boolean(), nullable=False),
    sa.Column("report", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("forecast", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.Column("sendout_id", sa.Uuid(), nullable=True),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_imports_business_id")),
    sa.PrimaryKeyConstraint("import_id", name=op.f("pk_imports"))
    )
    op.create_table("import_rows",
    sa.Column("import_id", sa.Uuid(), nullable=False),
    sa.Column("position", sa.Integer(), nullable=False),
    sa.Column("entry_id", sa.Uuid(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.Column("channel_id", sa.Uuid(), nullable=False),
    sa.Column("variables", postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column("callback_data", postgresql.JSON(astext_type=sa.Text()), nullable=True),
    sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_rows"))
    )


def downgrade() -> None:
    op.drop_table("import_rows")
    op.drop_table("imports")
