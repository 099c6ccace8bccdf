"""One value of every kind, with everything set that can be set, and the premises that they refer to."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accessctl.domain.accounts import Account, SignInTry
from accessctl.domain.alarms import Alarm, AlarmKind, AlarmState
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.cards import Card, CardState
from accessctl.domain.devices import Capture, CaptureState, Command, CommandKind, CommandState, DeviceHealth, HeldUser
from accessctl.domain.occupancy import AntiPassback, Presence, ZoneState
from accessctl.domain.people import DocumentKind, IdentityDocument, Person, Role
from accessctl.domain.places import Device, Direction, Door, Transport, Zone, ZoneClass
from accessctl.domain.procedures import Case, StepDone
from accessctl.domain.requests import (
    AccessGrant,
    AccessRequest,
    Attachment,
    GrantState,
    Removal,
    RemovalTarget,
    Signature,
    StoredTemplate,
)
from accessctl.domain.schedules import Holiday, WeeklySchedule
from accessctl.domain.searches import SavedSearch
from accessctl.domain.visitor_cards import VisitorCard, VisitorCardState
from accessctl.domain.visits import Equipment, EscortDuty, Visit, VisitState

NOW = datetime(2026, 3, 2, 14, 30, 15, 123456, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
NUMBER = CardNumber.from_bytes(CardFormat.EM4100, bytes.fromhex("0F0184F07A"))
TWIN = CardNumber.from_bytes(CardFormat.EM4100_32, bytes.fromhex("0184F07A"))  # the same card, typed from its print
OTHER = CardNumber.from_wiegand(CardFormat.H10301, facility=118, number=1603)

PERSON = Person(
    id="p1",
    number=1001,
    full_name="María José Ñandú d'Ávila",
    document=IdentityDocument(kind=DocumentKind.PASSPORT, number="AB-1234567"),
    email="maria@example.org",
    department="Departamento de Análisis",
    position="Analista",
    removed=True,
)
HEAD = replace(
    PERSON,
    id="p2",
    number=1002,
    full_name="Óscar 100%_Pérez",
    document=IdentityDocument(kind=DocumentKind.DPI, number="2000000090101"),
    removed=False,
)
ZONE = Zone(id="cdatos", name="Centro de Datos", zone_class=ZoneClass.DATA_CENTRE, inside="sub", retired=True)
OUTER_ZONE = Zone(id="sub", name="Subgerencia")
DOOR = Door(id="cd-1", name="Puerta 1", zone="cdatos", retired=True)
DEVICE = Device(
    id="lobby",
    transport=Transport.ZK,
    address="tcp://127.0.0.1:4370",
    serial="SN1",
    source="127.0.0.1",
    doors=("cd-1", "cd-2"),
    direction=Direction.OUT,
    online=True,
    comm_key_file="lobby.key",
    retired=True,
)
SCHEDULE = WeeklySchedule(
    id="office", name="Oficina", week=(((420, 720), (780, 1020)),) * 5 + ((), ()), holiday=((480, 720),), retired=True
)
HOLIDAY = Holiday(id="2026-08-15-guatemala", date=date(2026, 8, 15), name="Feria", half_day=True, town="Guatemala")
CASE = Case(
    id="c1",
    procedure=10,
    step=3,
    opened_at=NOW,
    done=(
        StepDone(step=1, account="a1", person="p2", at=NOW, answer="sí"),
        StepDone(step=2, account="a2", person="p3", at=LATER),
    ),
    evidence=frozenset({"request:form", "authorised"}),
    parts={"beneficiary": "p1", "authority": "p2"},
    assigned_to="a1",
    cancelled=True,
    closed_at=LATER,
)
CARD = Card(
    id="k1",
    number=NUMBER,
    state=CardState.ACTIVE,
    label="Tarjeta azul №7",
    holder="p1",
    case="c1",
    owed_by="Departamento de Análisis",
    since=NOW,
)
REQUEST = AccessRequest(
    id="c1",
    folio=1,
    beneficiary="p1",
    requester="p2",
    authority="p2",
    department="Análisis",
    justification="Turno de noche",
    doors=("cd-1",),
    schedule="office",
    valid_from=NOW,
    valid_until=LATER,
    registered_at=NOW,
    expires_at=LATER,
    authorised_at=NOW,
    authorised_how="scan",
    form="f1",
    card="k1",
    waiver="Sin huellas",
    receipt="s1",
    delivered_at=NOW,
    informed_at=LATER,
    cancelled="ya no",
)
ATTACHMENT = Attachment(
    id="f1",
    case="c1",
    kind="form",
    name="formulario.pdf",
    media_type="application/pdf",
    sha256="0" * 64,
    content=b"%PDF\x00\xff",
    added_by="a1",
    at=NOW,
)
SIGNATURE = Signature(
    id="s1",
    case="c1",
    person="p1",
    strokes=b"[[[1,2],[3,4]]]",
    width=600,
    height=200,
    sha256="1" * 64,
    attended_by="a1",
    document_shown="pasaporte:AB-1234567",
    at=NOW,
)
ACCOUNT = Account(
    id="a1",
    username="mjose",
    person="p1",
    roles=(Role.TECNICO_INFRA, Role.ADMIN),
    password_hash="$argon2id$…",
    epoch=2,
    added_at=NOW,
    disabled_at=LATER,
)
SIGN_IN_TRY = SignInTry(id="t1", username="mjose", source="127.0.0.1", at=NOW)
GRANT = AccessGrant(
    id="g1",
    person="p1",
    door="cd-1",
    schedule="office",
    valid_from=NOW,
    valid_until=LATER,
    case="c1",
    state=GrantState.OPEN,
)
REMOVAL = Removal(
    id="r1", person="p1", requested_by="p2", registered_by="a1", reason="Traslado", at=NOW, completed_at=LATER
)
REMOVAL_TARGET = RemovalTarget(id="rt1", removal="r1", device="lobby", doors=("cd-1",), confirmed_at=LATER)
TEMPLATE = StoredTemplate(
    id="tp1",
    person="p1",
    finger=6,
    flag=3,
    format="zk10",
    device="lobby",
    nonce=b"\x00" * 12,
    ciphertext=b"\xffsecret",
    digest="2" * 64,
    at=NOW,
)
HEALTH = DeviceHealth(
    id="lobby",
    online=True,
    since=NOW,
    last_seen=LATER,
    last_error="sin respuesta",
    serial="SN1",
    firmware="Ver 6.60",
    skew_s=-800_000_000,
    users_desired=10,
    users_observed=9,
    drift=1,
    rogues=1,
    synced_at=NOW,
    wanted_at=LATER,
    log_epoch=2,
    log_count=100_000,
    log_window=16,
    log_digest=b"\x01\x02",
    log_record_size=40,
)
HELD_USER = HeldUser(
    id="lobby/7",
    device="lobby",
    uid=7,
    user_id="1001",
    person="p1",
    card=0xFFFF_FFFF,
    disabled=True,
    templates=2,
    digest="3" * 64,
    read_at=NOW,
)
COMMAND = Command(
    id="cm1",
    device="lobby",
    kind=CommandKind.ENROL_FINGER,
    state=CommandState.FAILED,
    asked_by="a1",
    asked_at=NOW,
    expires_at=LATER,
    case="c1",
    person="p1",
    finger=6,
    seconds=30,
    outcome="timeout",
    finished_at=LATER,
)
CAPTURE = Capture(
    id="cp1",
    reader="lobby",
    account="a1",
    case="c1",
    state=CaptureState.WAITING,
    started_at=NOW,
    expires_at=LATER,
    number=NUMBER.key,
)
ALARM = Alarm(
    id="al1",
    kind=AlarmKind.DOOR_FORCED,
    key="cd-1",
    state=AlarmState.ACKNOWLEDGED,
    raised_at=NOW,
    device="lobby",
    door="cd-1",
    person="p1",
    detail="abierta",
    count=3,
    handled_by="a1",
    comment="se revisa",
    cause="viento",
    changed_at=LATER,
    area="Departamento de Infraestructura Tecnológica",
    responsible=Role.TECNICO_INFRA,
    assigned_to="a1",
    waiting_since=LATER,
)

VISITOR_CARD = VisitorCard(
    id="vc1", number=NUMBER, label="V-01", state=VisitorCardState.GIVEN, slip=True, visit="c1", since=NOW
)
VISIT = Visit(
    id="c1",
    number=7,
    zone="cdatos",
    zone_class=ZoneClass.DATA_CENTRE,
    state=VisitState.INSIDE,
    valid_from=NOW,
    valid_until=LATER,
    name="Ñusta d'Ávila",
    organisation="Proveedora, S. A.",
    purpose="Cambiar un disco",
    department="Infraestructura",
    authority="p2",
    authorised_at=NOW,
    authorised_by="a1",
    case="c1",
    visitor="p1",
    document=IdentityDocument(kind=DocumentKind.PASSPORT, number="AB-1234567"),
    host="p2",
    third_party=True,
    vehicle="P-123ABC",
    fortuitous="Incendio",
    regularised_at=LATER,
    regularised_by="a1",
    registered_at=NOW,
    registered_by="a1",
    briefed_at=NOW,
    signature="s1",
    signed_at=NOW,
    escorts=(
        EscortDuty(person="p1", since=NOW, until=LATER, recorded_by="a1"),
        EscortDuty(person="p2", since=LATER, recorded_by="a1"),
    ),
    brought=(Equipment(description="Disco", serial="S/N 1"), Equipment(description="Cable")),
    taken=(Equipment(description="Disco", serial="S/N 0"),),
    activities="Cambió el disco",
    entered_at=NOW,
    entered_by="a1",
    left_at=LATER,
    verified_at=LATER,
    verified_by="a1",
    exited_at=LATER,
    exit_recorded_at=LATER,
    exit_recorded_by="a1",
    card="vc1",
    card_given_at=NOW,
    card_back_at=LATER,
    folio="C-0001",
    why="ninguno",
)
PRESENCE = Presence(id="p1", zone="cdatos", since=NOW, seen_at=LATER, door="cd-1", visit="c1", certain=False)
SAVED_SEARCH = SavedSearch(
    id="q1", account="a1", name="Rechazos del mes", query="event=door%3Aentry%3Arefused", saved_at=NOW
)
ZONE_STATE = ZoneState(
    id="cdatos",
    occupancy_limit=10,
    anti_passback=AntiPassback.HARD,
    locked_since=NOW,
    locked_why="simulacro",
    fire_since=NOW,
    doubt_since=LATER,
    doubt_door="cd-1",
)

EVERYTHING: tuple[tuple[str, Any], ...] = (
    ("people", PERSON),
    ("people", HEAD),
    ("zones", OUTER_ZONE),
    ("zones", ZONE),
    ("doors", DOOR),
    ("devices", DEVICE),
    ("schedules", SCHEDULE),
    ("holidays", HOLIDAY),
    ("requests", REQUEST),  # before its case, its form and its card: references are checked at the commit
    ("cases", CASE),
    ("cards", CARD),
    ("attachments", ATTACHMENT),
    ("signatures", SIGNATURE),
    ("accounts", ACCOUNT),
    ("sign_in_tries", SIGN_IN_TRY),
    ("grants", GRANT),
    ("removals", REMOVAL),
    ("removal_targets", REMOVAL_TARGET),
    ("templates", TEMPLATE),
    ("health", HEALTH),
    ("held_users", HELD_USER),
    ("commands", COMMAND),
    ("captures", CAPTURE),
    ("alarms", ALARM),
    ("visits", VISIT),
    ("visitor_cards", VISITOR_CARD),
    ("presence", PRESENCE),
    ("zone_states", ZONE_STATE),
    ("saved_searches", SAVED_SEARCH),
)
"""Shelf and value, in the order in which they may be added to an empty store."""

BARE: tuple[tuple[str, Any], ...] = (
    ("cards", Card(id="k2", number=OTHER, state=CardState.IN_STOCK)),
    ("cases", Case(id="c2", procedure=4, step=1, opened_at=NOW)),
    ("zones", Zone(id="bare", name="")),
    ("devices", Device(id="bare", transport=Transport.RDM6300)),
    ("schedules", WeeklySchedule(id="never", name="", week=((),) * 7)),
    ("health", DeviceHealth(id="bare")),
    (
        "requests",
        AccessRequest(
            id="c2",
            folio=2,
            beneficiary="p1",
            requester="p2",
            authority="p2",
            department="",
            justification="",
            doors=(),
            schedule="office",
            valid_from=NOW,
            valid_until=None,
            registered_at=NOW,
            expires_at=LATER,
        ),
    ),
    ("grants", replace(GRANT, id="g2", valid_until=None, case="", state=GrantState.CHOSEN)),
    ("captures", replace(CAPTURE, id="cp2", reader="bare", case="", number="")),
    ("commands", replace(COMMAND, id="cm2", case="", person="", finished_at=None)),
    (
        "alarms",
        Alarm(
            id="al2",
            kind=AlarmKind.FIRE,
            key="",
            state=AlarmState.RAISED,
            raised_at=NOW,
            area="",
            responsible=Role.TECNICO_INFRA,
            waiting_since=NOW,
        ),
    ),
    (
        "visits",
        Visit(
            id="v2",
            number=12,
            zone="sub",
            zone_class=ZoneClass.PREMISES,
            state=VisitState.AUTHORISED,
            valid_from=NOW,
            valid_until=LATER,
            name="",
            organisation="",
            purpose="",
            department="",
            authority="p2",
            authorised_at=NOW,
            authorised_by="",
        ),
    ),
    ("visitor_cards", VisitorCard(id="vc2", number=OTHER, label="", state=VisitorCardState.FREE)),
    ("presence", Presence(id="p2", zone="", since=NOW, seen_at=NOW)),
    ("zone_states", ZoneState(id="sub")),
    ("saved_searches", SavedSearch(id="q2", account="a1", name="", query="", saved_at=NOW)),
)
"""The same kinds with nothing set that need not be; to be added after `EVERYTHING`."""


def people(count: int) -> Iterator[Person]:
    """Many people, with numbers from 2001 on."""
    for index in range(count):
        yield replace(
            HEAD,
            id=f"many-{index:05d}",
            number=2001 + index,
            full_name=f"Persona {index}",
            document=IdentityDocument(kind=DocumentKind.PASSPORT, number=f"M{index:06d}"),
        )
