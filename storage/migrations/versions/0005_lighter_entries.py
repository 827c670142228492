"""lighter entries."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("fk_entries_sendout_id", "entries", type_="foreignkey")
    op.drop_constraint("fk_entries_channel_id", "entries", type_="foreignkey")
    op.drop_constraint("uq_entries_position", "entries", type_="unique")


def downgrade() -> None:
    op.create_unique_constraint("uq_entries_position", "entries", ["position"])
    op.create_foreign_key(
        "fk_entries_channel_id", "entries", "channels", ["channel_id"], ["channel_id"]
    )
    op.create_foreign_key(
        "fk_entries_sendout_id", "entries", "sendouts", ["sendout_id"], ["sendout_id"]
    )
