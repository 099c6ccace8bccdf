"""What Alembic runs to reach the database: it works on the connection that it is given, inside its transaction."""

from typing import Literal

from alembic import context

from accessctl.storage import record_tables, tables
from accessctl.storage.columns import Utc
from accessctl.storage.metadata import metadata


def rendered(kind: str, item: object, context_of: object) -> str | Literal[False]:
    """How a version that is being drafted writes our own type: frozen, as the first version does."""
    del context_of
    if kind == "type" and isinstance(item, Utc):
        return 'sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")'
    return False


REGISTERED = (record_tables.entry, tables.event)  # imported so that every table is in `metadata`

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,  # in SQLite too: the transaction is begun by us
    transaction_per_migration=False,
    render_item=rendered,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
