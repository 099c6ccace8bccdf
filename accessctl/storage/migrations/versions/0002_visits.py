"""Visits, the visitors' pool, who is where, and what zones ask at their entries.

Frozen: it imports nothing of the program, which goes on changing.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
KEPT = ("visits", "visitor_cards", "zone_states")


def upgrade() -> None:
    """Make the tables, an index over the visits of entries, and the triggers that keep history."""
    op.create_table(
        "visitor_cards",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("family_key", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("slip", sa.Boolean(), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('free', 'given', 'missing', 'retired')", name=op.f("ck_visitor_cards_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visitor_cards")),
    )
    op.create_index("ix_visitor_cards_family_key", "visitor_cards", ["family_key"], unique=False)
    op.create_index("ix_visitor_cards_state", "visitor_cards", ["state"], unique=False)
    op.create_index(
        "uq_visitor_cards_pool",
        "visitor_cards",
        ["family_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('free', 'given', 'missing')"),
        postgresql_where=sa.text("state IN ('free', 'given', 'missing')"),
    )
    op.create_table(
        "presence",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("door", sa.String(length=64), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("certain", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["people.id"], name=op.f("fk_presence_id_people"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["zone"], ["zones.id"], name=op.f("fk_presence_zone_zones"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence")),
    )
    op.create_index(op.f("ix_presence_zone"), "presence", ["zone"], unique=False)
    op.create_table(
        "visits",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("zone_class", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=2000), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("authorised_at", INSTANT, nullable=False),
        sa.Column("authorised_by", sa.String(length=64), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("visitor", sa.String(length=64), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("host", sa.String(length=64), nullable=True),
        sa.Column("third_party", sa.Boolean(), nullable=False),
        sa.Column("vehicle", sa.String(length=200), nullable=False),
        sa.Column("fortuitous", sa.String(length=2000), nullable=False),
        sa.Column("regularised_at", INSTANT, nullable=True),
        sa.Column("regularised_by", sa.String(length=64), nullable=False),
        sa.Column("registered_at", INSTANT, nullable=True),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.Column("briefed_at", INSTANT, nullable=True),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("signed_at", INSTANT, nullable=True),
        sa.Column("escorts", sa.Text(), nullable=False),
        sa.Column("escort", sa.String(length=64), nullable=False),
        sa.Column("brought", sa.Text(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("activities", sa.String(length=2000), nullable=False),
        sa.Column("entered_at", INSTANT, nullable=True),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("left_at", INSTANT, nullable=True),
        sa.Column("verified_at", INSTANT, nullable=True),
        sa.Column("verified_by", sa.String(length=64), nullable=False),
        sa.Column("exited_at", INSTANT, nullable=True),
        sa.Column("exit_recorded_at", INSTANT, nullable=True),
        sa.Column("exit_recorded_by", sa.String(length=64), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=True),
        sa.Column("card_given_at", INSTANT, nullable=True),
        sa.Column("card_back_at", INSTANT, nullable=True),
        sa.Column("folio", sa.String(length=40), nullable=False),
        sa.Column("why", sa.String(length=2000), nullable=False),
        sa.CheckConstraint(
            "state IN ('authorised', 'registered', 'signed', 'inside', 'outside', 'verified', 'cleared', 'working', "
            "'gone', 'closed', 'no_verificada', 'expired', 'no_show', 'cancelled')",
            name=op.f("ck_visits_state"),
        ),
        sa.CheckConstraint("zone_class IN ('premises', 'data_centre')", name=op.f("ck_visits_zone_class")),
        sa.ForeignKeyConstraint(
            ["authority"], ["people.id"], name=op.f("fk_visits_authority_people"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["card"],
            ["visitor_cards.id"],
            name=op.f("fk_visits_card_visitor_cards"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_visits_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["host"], ["people.id"], name=op.f("fk_visits_host_people"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["visitor"], ["people.id"], name=op.f("fk_visits_visitor_people"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["zone"], ["zones.id"], name=op.f("fk_visits_zone_zones"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
    )
    op.create_index(op.f("ix_visits_authority"), "visits", ["authority"], unique=False)
    op.create_index(op.f("ix_visits_card"), "visits", ["card"], unique=False)
    op.create_index(op.f("ix_visits_case"), "visits", ["case"], unique=False)
    op.create_index("ix_visits_escort", "visits", ["escort", "state"], unique=False)
    op.create_index(op.f("ix_visits_host"), "visits", ["host"], unique=False)
    op.create_index("ix_visits_state", "visits", ["state", "valid_until"], unique=False)
    op.create_index(op.f("ix_visits_visitor"), "visits", ["visitor"], unique=False)
    op.create_index(op.f("ix_visits_zone"), "visits", ["zone"], unique=False)
    op.create_index("uq_visits_number", "visits", ["number"], unique=True)
    op.create_table(
        "zone_states",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("occupancy_limit", sa.Integer(), nullable=False),
        sa.Column("anti_passback", sa.String(length=40), nullable=False),
        sa.Column("locked_since", INSTANT, nullable=True),
        sa.Column("locked_why", sa.String(length=2000), nullable=False),
        sa.Column("fire_since", INSTANT, nullable=True),
        sa.Column("doubt_since", INSTANT, nullable=True),
        sa.Column("doubt_door", sa.String(length=64), nullable=False),
        sa.CheckConstraint("anti_passback IN ('off', 'soft', 'hard')", name=op.f("ck_zone_states_anti_passback")),
        sa.ForeignKeyConstraint(
            ["id"], ["zones.id"], name=op.f("fk_zone_states_id_zones"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone_states")),
    )
    op.create_index(
        "ix_event_visit",
        "event",
        ["visit", "idx"],
        unique=False,
        sqlite_where=sa.text('"visit" IS NOT NULL'),
        postgresql_where=sa.text('"visit" IS NOT NULL'),
    )

    connection = op.get_bind()
    for table in KEPT:
        for statement in _kept_in_sqlite(table) if connection.dialect.name == "sqlite" else _kept_in_postgresql(table):
            connection.execute(sa.text(statement))


def _kept_in_sqlite(table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, 'history is kept: no DELETE on {table}'); END"
    return [f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} {refuse}"]


def _kept_in_postgresql(table: str) -> list[str]:
    refuse = "FOR EACH STATEMENT EXECUTE FUNCTION history_is_kept()"
    return [
        f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table} {refuse}",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_kept",
    ]


def downgrade() -> None:
    """History is never taken away."""
    raise RuntimeError("visits are not undone: they are history")
