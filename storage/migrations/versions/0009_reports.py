"""reports."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.create_table("report_runs",
    sa.Column("run_id", sa.Uuid(), nullable=False),
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("state", sa.Text(), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(["business_id"], ["businesses.business_id"], name=op.f("fk_report_runs_business_id")),
    sa.PrimaryKeyConstraint("run_id", name=op.f("pk_report_runs")),
    sa.UniqueConstraint("business_id", "day", name=op.f("uq_report_runs_business_id_day"))
    )
    op.create_index("ix_report_runs_day", "report_runs", ["day"], unique=False)
    op.create_table("server_secrets",
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("secret", sa.LargeBinary(), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    sa.PrimaryKeyConstraint("name", name=op.f("pk_server_secrets"))
    )
    op.create_index("ix_entries_finished_at", "entries", ["finished_at"], unique=False, postgresql_using="brin")
    op.create_index("ix_messages_accepted_at", "messages", ["accepted_at"], unique=False, postgresql_using="brin")


def downgrade() -> None:
    op.drop_index("ix_messages_accepted_at", table_name="messages", postgresql_using="brin")
    op.drop_index("ix_entries_finished_at", table_name="entries", postgresql_using="brin")
    op.drop_table("server_secrets")
    op.drop_index("ix_report_runs_day", table_name="report_runs")
    op.drop_table("report_runs")
