"""Between which moments each block of the record lies, so that a search for a time finds it.

Frozen: it imports nothing of the program, which goes on changing.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table, and fill it from the entries that are there."""
    op.create_table(
        "event_block",
        sa.Column("block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("block", name=op.f("pk_event_block")),
    )
    op.execute(
        "INSERT INTO event_block (block, first_at, last_at) "
        "SELECT idx / 4096, min(at), max(at) FROM event GROUP BY idx / 4096"
    )


def downgrade() -> None:
    """Take it away again: it only repeats what is in the events."""
    op.drop_table("event_block")
