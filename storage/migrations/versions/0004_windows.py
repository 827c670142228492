"""windows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.add_column("businesses", sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False))
    op.add_column("messages", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "held_until")
    op.drop_column("businesses", "timezone")
