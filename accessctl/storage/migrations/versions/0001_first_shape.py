"""The first shape: every table of the values, the record, its projection, and the triggers that keep history.

Long because it is frozen: it imports nothing of the program, which goes on changing. The order of the tables matters
to PostgreSQL alone, which wants the table that is referred to first.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
INDEX = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = ("entry", "tile", "checkpoint")
KEPT = (
    "people", "cards", "cases", "requests", "accounts", "grants", "removals", "removal_targets", "attachments",
    "signatures", "zones", "doors", "devices", "schedules", "commands", "alarms",
)  # fmt: skip


def _premises() -> None:
    """Zones, doors, devices, and when they are open."""
    op.create_table(
        "zones",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("zone_class", sa.String(length=40), nullable=False),
        sa.Column("inside", sa.String(length=64), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("zone_class IN ('premises', 'data_centre')", name=op.f("ck_zones_zone_class")),
        sa.ForeignKeyConstraint(
            ["inside"], ["zones.id"], name=op.f("fk_zones_inside_zones"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
    )
    op.create_index(op.f("ix_zones_inside"), "zones", ["inside"], unique=False)
    op.create_table(
        "doors",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["zone"], ["zones.id"], name=op.f("fk_doors_zone_zones"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_doors")),
    )
    op.create_index(op.f("ix_doors_zone"), "doors", ["zone"], unique=False)
    op.create_table(
        "devices",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("transport", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("doors", sa.Text(), nullable=False),
        sa.Column("direction", sa.String(length=40), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("comm_key_file", sa.String(length=300), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_devices_direction")),
        sa.CheckConstraint("transport IN ('zk', 'push', 'rdm6300')", name=op.f("ck_devices_transport")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("holiday", sa.Text(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_table(
        "holidays",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("half_day", sa.Boolean(), nullable=False),
        sa.Column("town", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holidays")),
    )
    op.create_index("ix_holidays_date", "holidays", ["date"], unique=False)


def _people() -> None:
    """People, their cards, cases and requests."""
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("document_kind", sa.String(length=40), nullable=False),
        sa.Column("document_number", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("position", sa.String(length=200), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("search_name", sa.String(length=800), nullable=False),
        sa.CheckConstraint("document_kind IN ('dpi', 'pasaporte')", name=op.f("ck_people_document_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index("uq_people_document", "people", ["document_number", "document_kind"], unique=True)
    op.create_index("uq_people_number", "people", ["number"], unique=True)
    op.create_table(
        "cases",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("procedure", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("assigned_to", sa.String(length=64), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_step", "cases", ["step", "opened_at"], unique=False)
    op.create_table(
        "cards",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("family_key", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("owed_by", sa.String(length=200), nullable=True),
        sa.Column("since", INSTANT, nullable=True),
        sa.CheckConstraint(
            (
                "state IN ('in_stock', 'enrolled', 'active', 'suspended', 'revoked', 'lost', 'stolen', "
                "'damaged', 'returned', 'destroyed')"
            ),
            name=op.f("ck_cards_state"),
        ),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_cards_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["holder"], ["people.id"], name=op.f("fk_cards_holder_people"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
    )
    op.create_index(op.f("ix_cards_case"), "cards", ["case"], unique=False)
    op.create_index("ix_cards_family_key", "cards", ["family_key"], unique=False)
    op.create_index(op.f("ix_cards_holder"), "cards", ["holder"], unique=False)
    op.create_index("ix_cards_state", "cards", ["state"], unique=False)
    op.create_index(
        "uq_cards_live",
        "cards",
        ["family_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('active', 'enrolled', 'in_stock', 'suspended')"),
        postgresql_where=sa.text("state IN ('active', 'enrolled', 'in_stock', 'suspended')"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_attachments_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index(op.f("ix_attachments_case"), "attachments", ["case"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("strokes", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("attended_by", sa.String(length=64), nullable=False),
        sa.Column("document_shown", sa.String(length=200), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_signatures_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_signatures_person_people"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
    )
    op.create_index(op.f("ix_signatures_case"), "signatures", ["case"], unique=False)
    op.create_index(op.f("ix_signatures_person"), "signatures", ["person"], unique=False)
    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("folio", sa.Integer(), nullable=False),
        sa.Column("beneficiary", sa.String(length=64), nullable=False),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("justification", sa.String(length=2000), nullable=False),
        sa.Column("doors", sa.Text(), nullable=False),
        sa.Column("schedule", sa.String(length=64), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.Column("registered_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("authorised_at", INSTANT, nullable=True),
        sa.Column("authorised_how", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=True),
        sa.Column("card", sa.String(length=64), nullable=True),
        sa.Column("waiver", sa.String(length=2000), nullable=False),
        sa.Column("receipt", sa.String(length=64), nullable=False),
        sa.Column("delivered_at", INSTANT, nullable=True),
        sa.Column("informed_at", INSTANT, nullable=True),
        sa.Column("cancelled", sa.String(length=2000), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority"],
            ["people.id"],
            name=op.f("fk_requests_authority_people"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["beneficiary"],
            ["people.id"],
            name=op.f("fk_requests_beneficiary_people"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["card"], ["cards.id"], name=op.f("fk_requests_card_cards"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["form"],
            ["attachments.id"],
            name=op.f("fk_requests_form_attachments"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["cases.id"], name=op.f("fk_requests_id_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["requester"],
            ["people.id"],
            name=op.f("fk_requests_requester_people"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
            name=op.f("fk_requests_schedule_schedules"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index(op.f("ix_requests_authority"), "requests", ["authority"], unique=False)
    op.create_index(op.f("ix_requests_beneficiary"), "requests", ["beneficiary"], unique=False)
    op.create_index(op.f("ix_requests_card"), "requests", ["card"], unique=False)
    op.create_index(op.f("ix_requests_form"), "requests", ["form"], unique=False)
    op.create_index(op.f("ix_requests_requester"), "requests", ["requester"], unique=False)
    op.create_index(op.f("ix_requests_schedule"), "requests", ["schedule"], unique=False)
    op.create_index("uq_requests_folio", "requests", ["folio"], unique=True)


def _access() -> None:
    """What was granted, and how it ends; accounts of the panel."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("door", sa.String(length=64), nullable=False),
        sa.Column("schedule", sa.String(length=64), nullable=False),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT, nullable=True),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.CheckConstraint("state IN ('chosen', 'open', 'ended')", name=op.f("ck_grants_state")),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_grants_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["door"], ["doors.id"], name=op.f("fk_grants_door_doors"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_grants_person_people"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["schedule"],
            ["schedules.id"],
            name=op.f("fk_grants_schedule_schedules"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_case"), "grants", ["case"], unique=False)
    op.create_index(op.f("ix_grants_door"), "grants", ["door"], unique=False)
    op.create_index(op.f("ix_grants_person"), "grants", ["person"], unique=False)
    op.create_index(op.f("ix_grants_schedule"), "grants", ["schedule"], unique=False)
    op.create_table(
        "removals",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_removals_person_people"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"],
            ["people.id"],
            name=op.f("fk_removals_requested_by_people"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
    )
    op.create_index(op.f("ix_removals_person"), "removals", ["person"], unique=False)
    op.create_index(op.f("ix_removals_requested_by"), "removals", ["requested_by"], unique=False)
    op.create_table(
        "removal_targets",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("removal", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("doors", sa.Text(), nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["device"],
            ["devices.id"],
            name=op.f("fk_removal_targets_device_devices"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["removal"],
            ["removals.id"],
            name=op.f("fk_removal_targets_removal_removals"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removal_targets")),
    )
    op.create_index(op.f("ix_removal_targets_device"), "removal_targets", ["device"], unique=False)
    op.create_index(op.f("ix_removal_targets_removal"), "removal_targets", ["removal"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=256), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("added_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_accounts_person_people"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_index(op.f("ix_accounts_person"), "accounts", ["person"], unique=False)
    op.create_index("uq_accounts_username", "accounts", ["username_key"], unique=True)
    op.create_table(
        "sign_in_tries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_tries")),
    )
    op.create_index("ix_sign_in_tries_source", "sign_in_tries", ["source", "at"], unique=False)
    op.create_index("ix_sign_in_tries_username", "sign_in_tries", ["username", "at"], unique=False)


def _fleet() -> None:
    """What devices hold, do and are asked."""
    op.create_table(
        "templates",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("finger", sa.Integer(), nullable=False),
        sa.Column("flag", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["device"], ["devices.id"], name=op.f("fk_templates_device_devices"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_templates_person_people"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_index(op.f("ix_templates_device"), "templates", ["device"], unique=False)
    op.create_index(op.f("ix_templates_person"), "templates", ["person"], unique=False)
    op.create_table(
        "device_health",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.Column("last_seen", INSTANT, nullable=True),
        sa.Column("last_error", sa.String(length=2000), nullable=False),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("firmware", sa.String(length=100), nullable=False),
        sa.Column("skew_s", sa.BigInteger(), nullable=True),
        sa.Column("users_desired", sa.BigInteger(), nullable=False),
        sa.Column("users_observed", sa.BigInteger(), nullable=False),
        sa.Column("drift", sa.BigInteger(), nullable=False),
        sa.Column("rogues", sa.BigInteger(), nullable=False),
        sa.Column("synced_at", INSTANT, nullable=True),
        sa.Column("wanted_at", INSTANT, nullable=True),
        sa.Column("log_epoch", sa.BigInteger(), nullable=False),
        sa.Column("log_count", sa.BigInteger(), nullable=False),
        sa.Column("log_window", sa.BigInteger(), nullable=False),
        sa.Column("log_digest", sa.LargeBinary(), nullable=False),
        sa.Column("log_record_size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["devices.id"], name=op.f("fk_device_health_id_devices"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_health")),
    )
    op.create_table(
        "held_users",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("uid", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("card", sa.BigInteger(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("templates", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["device"], ["devices.id"], name=op.f("fk_held_users_device_devices"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_held_users")),
    )
    op.create_index("ix_held_users_device", "held_users", ["device", "uid"], unique=True)
    op.create_index("ix_held_users_person", "held_users", ["person"], unique=False)
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("finger", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=100), nullable=False),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('enrol_finger', 'unlock', 'apply')", name=op.f("ck_commands_kind")),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_commands_state")),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_commands_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["device"], ["devices.id"], name=op.f("fk_commands_device_devices"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["people.id"], name=op.f("fk_commands_person_people"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
    )
    op.create_index(op.f("ix_commands_case"), "commands", ["case"], unique=False)
    op.create_index(op.f("ix_commands_device"), "commands", ["device"], unique=False)
    op.create_index(op.f("ix_commands_person"), "commands", ["person"], unique=False)
    op.create_index("ix_commands_state", "commands", ["state", "device"], unique=False)
    op.create_table(
        "captures",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("case", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'read', 'ended')", name=op.f("ck_captures_state")),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.id"], name=op.f("fk_captures_case_cases"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["reader"], ["devices.id"], name=op.f("fk_captures_reader_devices"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captures")),
    )
    op.create_index(op.f("ix_captures_case"), "captures", ["case"], unique=False)
    op.create_index(op.f("ix_captures_reader"), "captures", ["reader"], unique=False)
    op.create_index(
        "uq_captures_waiting",
        "captures",
        ["reader"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
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
        sa.CheckConstraint(
            (
                "kind IN ('escort_left_first', 'escort_missing', 'visit_overstay', 'host_left', "
                "'door_held_open', 'door_forced', 'policy_mismatch', 'rogue_credential', 'device_offline', "
                "'clock_doubtful', 'revocation_pending', 'tamper', 'duress', 'fire', 'gap', 'interlock', "
                "'occupancy')"
            ),
            name=op.f("ck_alarms_kind"),
        ),
        sa.CheckConstraint("state IN ('raised', 'acknowledged', 'resolved', 'verified')", name=op.f("ck_alarms_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.create_index("ix_alarms_state", "alarms", ["state", "raised_at"], unique=False)
    op.create_index(
        "uq_alarms_open",
        "alarms",
        ["kind", "key"],
        unique=True,
        sqlite_where=sa.text("state IN ('acknowledged', 'raised')"),
        postgresql_where=sa.text("state IN ('acknowledged', 'raised')"),
    )


def _record() -> None:
    """The record, its projection, and what opens its commitments."""
    op.create_table(
        "entry",
        sa.Column("idx", INDEX, autoincrement=False, nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_entry")),
    )
    op.create_table(
        "tile",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name=op.f("pk_tile")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", INDEX, autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "opening",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_opening")),
    )
    op.create_table(
        "opening_subject",
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("commitment", name=op.f("pk_opening_subject")),
    )
    op.create_index("ix_opening_subject_subject", "opening_subject", ["subject", "detail"], unique=False)
    op.create_table(
        "event",
        sa.Column("idx", INDEX, autoincrement=False, nullable=False),
        sa.Column("identity", sa.String(length=300), nullable=True),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("door", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("norm", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("credential", sa.Text(), nullable=True),
        sa.Column("visit", sa.Text(), nullable=True),
        sa.Column("device_time", sa.Text(), nullable=True),
        sa.Column("skew_s", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("case", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_event")),
    )
    op.create_index("ix_event_at", "event", ["at"], unique=False)
    op.create_index(
        "ix_event_case",
        "event",
        ["case", "idx"],
        unique=False,
        sqlite_where=sa.text('"case" IS NOT NULL'),
        postgresql_where=sa.text('"case" IS NOT NULL'),
    )
    op.create_index(
        "ix_event_credential",
        "event",
        ["credential", "idx"],
        unique=False,
        sqlite_where=sa.text('"credential" IS NOT NULL'),
        postgresql_where=sa.text('"credential" IS NOT NULL'),
    )
    op.create_index(
        "ix_event_device",
        "event",
        ["device", "idx"],
        unique=False,
        sqlite_where=sa.text('"device" IS NOT NULL'),
        postgresql_where=sa.text('"device" IS NOT NULL'),
    )
    op.create_index(
        "ix_event_door",
        "event",
        ["door", "idx"],
        unique=False,
        sqlite_where=sa.text('"door" IS NOT NULL'),
        postgresql_where=sa.text('"door" IS NOT NULL'),
    )
    op.create_index("ix_event_event", "event", ["event", "idx"], unique=False)
    op.create_index(
        "ix_event_person",
        "event",
        ["person", "idx"],
        unique=False,
        sqlite_where=sa.text('"person" IS NOT NULL'),
        postgresql_where=sa.text('"person" IS NOT NULL'),
    )
    op.create_index(
        "uq_event_identity",
        "event",
        ["identity"],
        unique=True,
        sqlite_where=sa.text("identity IS NOT NULL"),
        postgresql_where=sa.text("identity IS NOT NULL"),
    )


def _triggers_of_sqlite() -> list[str]:
    append_only, kept = "the record is append-only", "history is kept"
    statements = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{append_only}: no {verb} on {table}'); END"
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ]
    statements += [
        f"CREATE TRIGGER {table}_continues BEFORE INSERT ON {table} "  # noqa: S608  # the names are those above
        f"WHEN NEW.idx <> (SELECT coalesce(max(idx), -1) + 1 FROM {table}) "
        f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
        for table, why in (
            ("entry", f"{append_only}: an entry continues it"),
            ("event", f"{kept}: an event continues the record"),
        )
    ]
    statements += [
        f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} "  # noqa: S608  # likewise
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "
        f"BEGIN SELECT RAISE(ABORT, '{append_only}: no second {table}'); END"
        for table, key in (("tile", "level = NEW.level AND idx = NEW.idx"), ("checkpoint", "size = NEW.size"))
    ]
    statements += [
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{kept}: no DELETE on {table}'); END"
        for table in KEPT
    ]
    statements += [
        f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
        f"BEGIN SELECT RAISE(ABORT, '{kept}: no {verb} on event'); END"
        for verb in ("UPDATE", "DELETE")
    ]
    return statements


def _triggers_of_postgresql() -> list[str]:
    statements = [
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION USING MESSAGE = '{why}: no ' || TG_OP || ' on ' || TG_TABLE_NAME; END $$"
        for function, why in (
            ("record_is_append_only", "the record is append-only"),
            ("history_is_kept", "history is kept"),
        )
    ]
    guarded = [(table, f"{table}_append_only", "UPDATE OR DELETE OR TRUNCATE") for table in APPEND_ONLY]
    guarded += [(table, f"{table}_kept", "DELETE OR TRUNCATE") for table in KEPT]
    guarded += [("event", "event_kept", "UPDATE OR DELETE OR TRUNCATE")]
    for table, trigger, verbs in guarded:
        function = "record_is_append_only" if table in APPEND_ONLY else "history_is_kept"
        statements.append(
            f"CREATE TRIGGER {trigger} BEFORE {verbs} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
        statements.append(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    return statements


def upgrade() -> None:
    """Make everything."""
    _premises()
    _people()
    _access()
    _fleet()
    _record()
    connection = op.get_bind()
    triggers = _triggers_of_sqlite() if connection.dialect.name == "sqlite" else _triggers_of_postgresql()
    for statement in triggers:
        connection.execute(sa.text(statement))


def downgrade() -> None:
    """There is nothing before this: the record is never taken away."""
    raise RuntimeError("the first shape is not undone: it holds the record")
