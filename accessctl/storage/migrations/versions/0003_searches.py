"""Saved searches, and an index over the norms of entries.

Frozen: it imports nothing of the program, which goes on changing.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table and the index."""
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.String(length=2000), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.id"],
            name=op.f("fk_saved_searches_account_accounts"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
    )
    op.create_index(op.f("ix_saved_searches_account"), "saved_searches", ["account"], unique=False)
    op.create_index("uq_saved_searches_name", "saved_searches", ["account", "name"], unique=True)
    op.create_index(
        "ix_event_norm",
        "event",
        ["norm", "idx"],
        unique=False,
        sqlite_where=sa.text('"norm" IS NOT NULL'),
        postgresql_where=sa.text('"norm" IS NOT NULL'),
    )


def downgrade() -> None:
    """Take them away again: nothing of the record is in them."""
    op.drop_index("ix_event_norm", table_name="event")
    op.drop_table("saved_searches")
