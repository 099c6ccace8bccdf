"""Alarms are assigned (P3.04): whose area, which role, to whom, and since when they wait to be taken.

SQLite cannot change a check in place: there the table is made anew and its rows are carried over.
Frozen: it imports nothing of the program, which goes on changing.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
STATES = "state IN ('raised', 'assigned', 'acknowledged', 'resolved', 'verified')"
OPEN = "state IN ('acknowledged', 'assigned', 'raised')"
OLD = "id, kind, key, state, raised_at, device, door, person, detail, count, handled_by, comment, cause, changed_at"
TELECOM, ANALYSIS, INFRA = (
    "Departamento de Telecomunicaciones, Conectividad y Seguridad",
    "Departamento de Análisis y Desarrollo de Sistemas",
    "Departamento de Infraestructura Tecnológica",
)
AREA = f"CASE kind WHEN 'device_offline' THEN '{TELECOM}' WHEN 'gap' THEN '{ANALYSIS}' ELSE '{INFRA}' END"
ROLE = (
    "CASE kind WHEN 'device_offline' THEN 'tecnico_telecom' WHEN 'gap' THEN 'analista_calidad' ELSE 'tecnico_infra' END"
)


def upgrade() -> None:
    """Give alarms their four columns and the state `assigned`; what was raised before gets the areas of N3.5."""
    op.drop_index("ix_alarms_state", table_name="alarms")
    op.drop_index("uq_alarms_open", table_name="alarms")
    if op.get_bind().dialect.name == "sqlite":
        _anew()
    else:
        _in_place()
    op.create_index("ix_alarms_state", "alarms", ["state", "raised_at"], unique=False)
    op.create_index(
        "uq_alarms_open",
        "alarms",
        ["kind", "key"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )


def _in_place() -> None:
    op.drop_constraint(op.f("ck_alarms_state"), "alarms", type_="check")
    op.create_check_constraint(op.f("ck_alarms_state"), "alarms", STATES)
    columns = (
        sa.Column("area", sa.String(length=200)),
        sa.Column("responsible", sa.String(length=40)),
        sa.Column("assigned_to", sa.String(length=64)),
        sa.Column("waiting_since", INSTANT),
    )
    for column in columns:
        op.add_column("alarms", column)
    op.execute(
        f"UPDATE alarms SET area = {AREA}, responsible = {ROLE}, assigned_to = '', waiting_since = raised_at"  # noqa: S608 -- the words are those above
    )
    for column in columns:
        op.alter_column("alarms", column.name, nullable=False)


def _anew() -> None:
    op.execute("DROP TRIGGER alarms_kept")
    op.rename_table("alarms", "alarms_before")
    op.create_table(
        "alarms",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("door", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=2000), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("handled_by", sa.String(length=64), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=False),
        sa.Column("cause", sa.String(length=2000), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=True),
        sa.Column("area", sa.String(length=200), nullable=False),
        sa.Column("responsible", sa.String(length=40), nullable=False),
        sa.Column("assigned_to", sa.String(length=64), nullable=False),
        sa.Column("waiting_since", INSTANT, nullable=False),
        sa.CheckConstraint(
            (
                "kind IN ('escort_left_first', 'escort_missing', 'visit_overstay', 'host_left', "
                "'door_held_open', 'door_forced', 'policy_mismatch', 'rogue_credential', 'device_offline', "
                "'clock_doubtful', 'revocation_pending', 'tamper', 'duress', 'fire', 'gap', 'interlock', "
                "'occupancy')"
            ),
            name=op.f("ck_alarms_kind"),
        ),
        sa.CheckConstraint(STATES, name=op.f("ck_alarms_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.execute(
        f"INSERT INTO alarms ({OLD}, area, responsible, assigned_to, waiting_since) "  # noqa: S608 -- the words are those above
        f"SELECT {OLD}, {AREA}, {ROLE}, '', raised_at FROM alarms_before"
    )
    op.drop_table("alarms_before")
    op.execute(
        "CREATE TRIGGER alarms_kept BEFORE DELETE ON alarms "
        "BEGIN SELECT RAISE(ABORT, 'history is kept: no DELETE on alarms'); END"
    )


def downgrade() -> None:
    """History is never taken away."""
    raise RuntimeError("assignments are not undone: they are history")
