"""What Alembic runs to reach the database: it works on the connection that it is given, inside its transaction."""

from alembic import context

from accessctl.storage import record_tables, tables
from accessctl.storage.metadata import metadata

REGISTERED = (record_tables.entry, tables.event)  # imported so that every table is in `metadata`

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # in SQLite too: the transaction is begun by us
    transaction_per_migration=False,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
