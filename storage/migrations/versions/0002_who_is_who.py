"""who is who."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# fmt: off
# One line per column, as Alembic writes them.


def upgrade() -> None:
    op.create_table("customer_numbers",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("number", sa.Text(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "number", name=op.f("pk_customer_numbers"))
    )
    op.create_index("ix_customer_numbers_business_id_client", "customer_numbers", ["business_id", "client"], unique=False)
    op.create_table("customer_user_ids",
    sa.Column("business_id", sa.Uuid(), nullable=False),
    sa.Column("user_id", sa.Text(), nullable=False),
    sa.Column("client", sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint("business_id", "user_id", name=op.f("pk_customer_user_ids"))
    )
    op.create_index("ix_customer_user_ids_business_id_client", "customer_user_ids", ["business_id", "client"], unique=False)
    # What customers sent before tells who has which user id.
    op.execute("""
        INSERT INTO customer_user_ids (business_id, user_id, client)
        SELECT DISTINCT ON (c.business_id, i.user_id) c.business_id, i.user_id, i.client
        FROM inbound i JOIN channels c USING (channel_id)
        WHERE i.user_id IS NOT NULL AND length(i.user_id) <= 200 AND i.client IS NOT NULL
        ORDER BY c.business_id, i.user_id, i.received_at DESC
    """)


def downgrade() -> None:
    op.drop_index("ix_customer_user_ids_business_id_client", table_name="customer_user_ids")
    op.drop_table("customer_user_ids")
    op.drop_index("ix_customer_numbers_business_id_client", table_name="customer_numbers")
    op.drop_table("customer_numbers")
