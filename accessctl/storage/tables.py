"""The tables of every value of the domain, one column for each field, named alike.

The record has tables of its own (`record_tables`); `event`, its projection, is here. Rules of the manual that no
program may break, however it is written, stand here as constraints and hold in both databases: a card number is live
at most once (N10.3), one open alarm for a kind and a key, one capture waiting at a reader. Foreign keys are checked
when the transaction commits, so that the order of writing inside it is free. Text is bounded by its column (the
mapper refuses what is longer, see `mapper`). An empty optional reference (`""` in the value) is NULL here.
"""

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from accessctl.domain.alarms import OPEN, AlarmKind, AlarmState
from accessctl.domain.cards import LIVE, CardState
from accessctl.domain.devices import CaptureState, CommandKind, CommandState
from accessctl.domain.occupancy import AntiPassback
from accessctl.domain.people import DocumentKind
from accessctl.domain.places import Direction, Transport, ZoneClass
from accessctl.domain.requests import GrantState
from accessctl.domain.visitor_cards import IN_POOL, VisitorCardState
from accessctl.domain.visits import VisitState
from accessctl.storage.columns import Utc, one_of
from accessctl.storage.metadata import metadata

ID = 64  # 32 hex digits of ours, or the name that the site's file gives
NAME = 200
DETAIL = 2000


def _key() -> Column[str]:
    return Column("id", String(ID), primary_key=True)


def _of(name: str, table: str, *, optional: bool = False) -> Column[str]:
    """A reference to a row of another table."""
    target = ForeignKey(f"{table}.id", deferrable=True, initially="DEFERRED")
    return Column(name, String(ID), target, nullable=optional, index=True)


def _word(name: str) -> Column[str]:
    return Column(name, String(40), nullable=False)


def _text(name: str, longest: int = NAME) -> Column[str]:
    return Column(name, String(longest), nullable=False)


def _json(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _at(name: str, *, optional: bool = False) -> Column[object]:
    return Column(name, Utc, nullable=optional)


def _whole(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _only(name: str, *columns: str, where: str) -> Index:
    """A unique index over the rows of which `where` is true."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


def _words(states: frozenset[StrEnum]) -> str:
    return ", ".join(sorted(f"'{state.value}'" for state in states))


people = Table(
    "people",
    metadata,
    _key(),
    Column("number", BigInteger, nullable=False),
    _text("full_name"),
    _word("document_kind"),
    _text("document_number", 40),
    _text("email"),
    _text("department"),
    _text("position"),
    _flag("removed"),
    _text("search_name", 4 * NAME),  # folded: lower case without accents; folding may lengthen
    one_of("document_kind", DocumentKind),
    Index("uq_people_number", "number", unique=True),
    Index("uq_people_document", "document_number", "document_kind", unique=True),
)

cards = Table(
    "cards",
    metadata,
    _key(),
    _text("number", 40),
    _text("family_key", 40),
    _word("state"),
    _text("label"),
    _of("holder", "people", optional=True),
    _of("case", "cases", optional=True),
    Column("owed_by", String(NAME)),
    _at("since", optional=True),
    one_of("state", CardState),
    Index("ix_cards_family_key", "family_key"),
    Index("ix_cards_state", "state"),
    _only("uq_cards_live", "family_key", where=f"state IN ({_words(LIVE)})"),
)

cases = Table(
    "cases",
    metadata,
    _key(),
    Column("procedure", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    _at("opened_at"),
    _json("done"),
    _json("evidence"),
    _json("parts"),
    _text("assigned_to", ID),
    _flag("cancelled"),
    _at("closed_at", optional=True),
    Index("ix_cases_step", "step", "opened_at"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(ID), ForeignKey("cases.id", deferrable=True, initially="DEFERRED"), primary_key=True),
    Column("folio", Integer, nullable=False),
    _of("beneficiary", "people"),
    _of("requester", "people"),
    _of("authority", "people"),
    _text("department"),
    _text("justification", DETAIL),
    _json("doors"),
    _of("schedule", "schedules"),
    _at("valid_from"),
    _at("valid_until", optional=True),
    _at("registered_at"),
    _at("expires_at"),
    _at("authorised_at", optional=True),
    _word("authorised_how"),
    _of("form", "attachments", optional=True),
    _of("card", "cards", optional=True),
    _text("waiver", DETAIL),
    _text("receipt", ID),  # a signature on the screen, or the attached scan of a receipt signed on paper
    _at("delivered_at", optional=True),
    _at("informed_at", optional=True),
    _text("cancelled", DETAIL),
    Index("uq_requests_folio", "folio", unique=True),
)

accounts = Table(
    "accounts",
    metadata,
    _key(),
    _text("username", ID),
    _text("username_key", 4 * ID),  # case-folded; folding may lengthen
    _of("person", "people"),
    _json("roles"),
    _text("password_hash", 300),
    Column("epoch", Integer, nullable=False),
    _at("added_at"),
    _at("disabled_at", optional=True),
    Index("uq_accounts_username", "username_key", unique=True),
)

sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    _key(),
    _text("username", 100),
    _text("source", 100),
    _at("at"),
    Index("ix_sign_in_tries_username", "username", "at"),
    Index("ix_sign_in_tries_source", "source", "at"),
)

grants = Table(
    "grants",
    metadata,
    _key(),
    _of("person", "people"),
    _of("door", "doors"),
    _of("schedule", "schedules"),
    _at("valid_from"),
    _at("valid_until", optional=True),
    _of("case", "cases", optional=True),
    _word("state"),
    one_of("state", GrantState),
)

removals = Table(
    "removals",
    metadata,
    _key(),
    _of("person", "people"),
    _of("requested_by", "people"),
    _text("registered_by", ID),
    _text("reason", DETAIL),
    _at("at"),
    _at("completed_at", optional=True),
)

removal_targets = Table(
    "removal_targets",
    metadata,
    _key(),
    _of("removal", "removals"),
    _of("device", "devices"),
    _json("doors"),
    _at("confirmed_at", optional=True),
)

attachments = Table(
    "attachments",
    metadata,
    _key(),
    _of("case", "cases", optional=True),
    _word("kind"),
    _text("name"),
    _text("media_type"),
    _text("sha256", 64),
    Column("content", LargeBinary, nullable=False),
    _text("added_by", ID),
    _at("at"),
)

signatures = Table(
    "signatures",
    metadata,
    _key(),
    _of("case", "cases", optional=True),
    _of("person", "people"),
    Column("strokes", LargeBinary, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    _text("sha256", 64),
    _text("attended_by", ID),
    _text("document_shown"),
    _at("at"),
)

templates = Table(
    "templates",
    metadata,
    _key(),
    _of("person", "people"),
    Column("finger", Integer, nullable=False),
    Column("flag", Integer, nullable=False),
    _text("format", 40),
    _of("device", "devices", optional=True),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    _text("digest", 128),
    _at("at"),
)

zones = Table(
    "zones",
    metadata,
    _key(),
    _text("name"),
    _word("zone_class"),
    _of("inside", "zones", optional=True),
    _flag("retired"),
    one_of("zone_class", ZoneClass),
)

doors = Table("doors", metadata, _key(), _text("name"), _of("zone", "zones"), _flag("retired"))

devices = Table(
    "devices",
    metadata,
    _key(),
    _word("transport"),
    _text("address", 300),
    _text("serial", 100),
    _text("source", 100),
    _json("doors"),
    _word("direction"),
    _flag("online"),
    _text("comm_key_file", 300),
    _flag("retired"),
    one_of("transport", Transport),
    one_of("direction", Direction),
)

schedules = Table("schedules", metadata, _key(), _text("name"), _json("week"), _json("holiday"), _flag("retired"))

holidays = Table(
    "holidays",
    metadata,
    _key(),
    Column("date", Date, nullable=False),
    _text("name"),
    _flag("half_day"),
    _text("town"),
    Index("ix_holidays_date", "date"),
)

device_health = Table(
    "device_health",
    metadata,
    Column("id", String(ID), ForeignKey("devices.id", deferrable=True, initially="DEFERRED"), primary_key=True),
    _flag("online"),
    _at("since", optional=True),
    _at("last_seen", optional=True),
    _text("last_error", DETAIL),
    _text("serial", 100),
    _text("firmware", 100),
    Column("skew_s", BigInteger),
    _whole("users_desired"),
    _whole("users_observed"),
    _whole("drift"),
    _whole("rogues"),
    _at("synced_at", optional=True),
    _at("wanted_at", optional=True),
    _flag("dates_in_seconds"),
    _flag("doors_by_number"),
    _whole("log_epoch"),
    _whole("log_count"),
    _whole("log_window"),
    Column("log_digest", LargeBinary, nullable=False),
    _whole("log_record_size"),
)

held_users = Table(
    "held_users",
    metadata,
    Column("id", String(2 * ID), primary_key=True),
    Column("device", String(ID), ForeignKey("devices.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("uid", Integer, nullable=False),
    _text("user_id", 40),
    _text("person", ID),  # no reference: a slot may be of nobody
    _whole("card"),
    _flag("disabled"),
    Column("templates", Integer, nullable=False),
    _text("digest", 128),
    _at("read_at"),
    Index("ix_held_users_device", "device", "uid", unique=True),
    Index("ix_held_users_person", "person"),
)

commands = Table(
    "commands",
    metadata,
    _key(),
    _of("device", "devices"),
    _word("kind"),
    _word("state"),
    _text("asked_by", ID),
    _at("asked_at"),
    _at("expires_at"),
    _of("case", "cases", optional=True),
    _of("person", "people", optional=True),
    Column("finger", Integer, nullable=False),
    Column("seconds", Integer, nullable=False),
    _text("outcome", 100),
    _at("finished_at", optional=True),
    one_of("kind", CommandKind),
    one_of("state", CommandState),
    Index("ix_commands_state", "state", "device"),
)

captures = Table(
    "captures",
    metadata,
    _key(),
    _of("reader", "devices"),
    _text("account", ID),
    _of("case", "cases", optional=True),
    _word("state"),
    _at("started_at"),
    _at("expires_at"),
    _text("number", 40),
    one_of("state", CaptureState),
    _only("uq_captures_waiting", "reader", where=f"state = '{CaptureState.WAITING.value}'"),
)

alarms = Table(
    "alarms",
    metadata,
    _key(),
    _word("kind"),
    _text("key"),
    _word("state"),
    _at("raised_at"),
    _text("device", ID),
    _text("door", ID),
    _text("person", ID),
    _text("detail", DETAIL),
    Column("count", Integer, nullable=False),
    _text("handled_by", ID),
    _text("comment", DETAIL),
    _text("cause", DETAIL),
    _at("changed_at", optional=True),
    _text("area"),
    _word("responsible"),
    _text("assigned_to", ID),
    _at("waiting_since"),
    one_of("kind", AlarmKind),
    one_of("state", AlarmState),
    Index("ix_alarms_state", "state", "raised_at"),
    _only("uq_alarms_open", "kind", "key", where=f"state IN ({_words(OPEN)})"),
)

visits = Table(
    "visits",
    metadata,
    _key(),
    Column("number", Integer, nullable=False),
    _of("zone", "zones"),
    _word("zone_class"),
    _word("state"),
    _at("valid_from"),
    _at("valid_until"),
    _text("name"),
    _text("organisation"),
    _text("purpose", DETAIL),
    _text("department"),
    _of("authority", "people"),
    _at("authorised_at"),
    _text("authorised_by", ID),
    _of("case", "cases", optional=True),
    _of("visitor", "people", optional=True),
    Column("document", Text),  # kind and number as shown
    _of("host", "people", optional=True),
    _flag("third_party"),
    _text("vehicle"),
    _text("fortuitous", DETAIL),
    _at("regularised_at", optional=True),
    _text("regularised_by", ID),
    _at("registered_at", optional=True),
    _text("registered_by", ID),
    _at("briefed_at", optional=True),
    _text("signature", ID),  # a signature on the screen, or the attached scan of the signed sheet
    _at("signed_at", optional=True),
    _json("escorts"),
    _text("escort", ID),  # who is on duty now
    _json("brought"),
    _json("taken"),
    _text("activities", DETAIL),
    _at("entered_at", optional=True),
    _text("entered_by", ID),
    _at("left_at", optional=True),
    _at("verified_at", optional=True),
    _text("verified_by", ID),
    _at("exited_at", optional=True),
    _at("exit_recorded_at", optional=True),
    _text("exit_recorded_by", ID),
    _of("card", "visitor_cards", optional=True),
    _at("card_given_at", optional=True),
    _at("card_back_at", optional=True),
    _text("folio", 40),
    _text("why", DETAIL),
    one_of("zone_class", ZoneClass),
    one_of("state", VisitState),
    Index("uq_visits_number", "number", unique=True),
    Index("ix_visits_state", "state", "valid_until"),
    Index("ix_visits_escort", "escort", "state"),
)

visitor_cards = Table(
    "visitor_cards",
    metadata,
    _key(),
    _text("number", 40),
    _text("family_key", 40),
    _text("label"),
    _word("state"),
    _flag("slip"),
    _text("visit", ID),  # no reference: visits refer to cards
    _at("since", optional=True),
    one_of("state", VisitorCardState),
    Index("ix_visitor_cards_family_key", "family_key"),
    Index("ix_visitor_cards_state", "state"),
    _only("uq_visitor_cards_pool", "family_key", where=f"state IN ({_words(IN_POOL)})"),
)

presence = Table(
    "presence",
    metadata,
    Column("id", String(ID), ForeignKey("people.id", deferrable=True, initially="DEFERRED"), primary_key=True),
    _of("zone", "zones", optional=True),
    _at("since"),
    _at("seen_at"),
    _text("door", ID),
    _text("visit", ID),
    _flag("certain"),
)

zone_states = Table(
    "zone_states",
    metadata,
    Column("id", String(ID), ForeignKey("zones.id", deferrable=True, initially="DEFERRED"), primary_key=True),
    Column("occupancy_limit", Integer, nullable=False),
    _word("anti_passback"),
    _at("locked_since", optional=True),
    _text("locked_why", DETAIL),
    _at("fire_since", optional=True),
    _at("doubt_since", optional=True),
    _text("doubt_door", ID),
    one_of("anti_passback", AntiPassback),
)

saved_searches = Table(
    "saved_searches",
    metadata,
    _key(),
    _of("account", "accounts"),
    _text("name"),
    _text("query", DETAIL),
    _at("saved_at"),
    Index("uq_saved_searches_name", "account", "name", unique=True),
)

event = Table(
    "event",
    metadata,
    Column("idx", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("identity", String(300)),
    _word("event"),
    _at("at"),
    _at("received_at"),
    *(Column(name, Text) for name in ("device", "door", "zone", "direction", "reason", "norm", "person")),
    Column("name", String(64)),  # commitment to the person's name; its opening may have been erased
    *(Column(name, Text) for name in ("credential", "visit", "device_time")),
    Column("skew_s", BigInteger),
    *(Column(name, Text) for name in ("actor", "case")),
    Index("ix_event_at", "at"),
    _only("uq_event_identity", "identity", where="identity IS NOT NULL"),
    *(
        Index(f"ix_event_{name}", name, "idx", sqlite_where=text(there), postgresql_where=text(there))
        for name, there in (
            (name, f'"{name}" IS NOT NULL')
            for name in ("device", "door", "person", "credential", "visit", "case", "norm")
        )
    ),
    Index("ix_event_event", "event", "idx"),
)
"""The record as it is searched: one row for each entry, written with it and, like it, never changed. NULL is "".

The indexes leave NULLs out: most entries have no case, and no device event has an actor."""

event_block = Table(
    "event_block",
    metadata,
    Column("block", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _at("first_at"),
    _at("last_at"),
)
"""Between which moments the entries of each block of the record lie (`seeking.BLOCK`): so a time is found in it."""

opening_subject = Table(
    "opening_subject",
    metadata,
    Column("commitment", String(64), primary_key=True),
    _text("subject", ID),
    _text("detail", ID),
    Index("ix_opening_subject_subject", "subject", "detail"),
)
"""Whose the openings of commitments are; erased together with them."""
