"""How Alembic runs here: on the connection that `storage.schema` hands over."""

from alembic import context

from storage.all_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
