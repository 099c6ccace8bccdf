"""A visit of procedure 4 brought to where a test wants it, through the real desks."""

from datetime import timedelta

from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Presence
from accessctl.domain.people import SYSTEM, Role
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import Equipment
from accessctl.services.visit_desk import EntryForm
from accessctl.services.visit_register_desk import RegisterForm
from tests.web.house import House, dpi

STROKES = [[(20.0, 80.0), (90.0, 40.0), (160.0, 90.0)], [(180.0, 60.0), (260.0, 60.0)]]
INK = "[[[20,80],[90,40],[160,90]],[[180,60],[260.25,60]]]"
VISITOR = "Luis Alfredo Ixcoy"
DOCUMENT = dpi(61_000_001)
SWITCH = Equipment(description="Conmutador de 24 puertos", serial="FOC1234X0AB")
LAPTOP = Equipment(description="Computadora portátil", serial="5CD0123ABC")


def entry(house: House, *, zone: str = "cdatos", name: str = VISITOR, host: str = "") -> EntryForm:
    """An entry from now on, for eight hours."""
    now = house.clock()
    return EntryForm(
        zone=zone,
        name=name,
        organisation="Redes del Sur, S. A.",
        purpose="Cambio de un conmutador",
        valid_from=now,
        valid_until=now + timedelta(hours=8),
        host=host,
    )


def visit_at(house: House, *, step: int, name: str = VISITOR, document: str = DOCUMENT) -> str:
    """A data-centre visit that waits at `step`: 2, 4, 5, 7 or 8, or 9 for one that is closed."""
    desks, technician = house.desks, house.actor(Role.TECNICO_INFRA)
    visit = desks.visits.authorise(house.actor(Role.JEFE), entry(house, name=name))
    if step > 2:
        form = RegisterForm(
            document_kind="dpi", document_number=document, brought=(SWITCH, LAPTOP), vehicle="P-123BCD", briefed=True
        )
        desks.visit_register.register(technician, visit, form)
    if step > 4:
        desks.visit_register.sign(technician, visit, strokes=STROKES, width=600, height=220)
    if step > 5:
        desks.escort.record_entry(technician, visit, at=house.clock(), folio="C-000001")
    if step > 7:
        desks.escort.verify_exit(technician, visit, taken=(LAPTOP,), activities="Se cambió el conmutador")
    if step > 8:
        desks.escort.record_exit(technician, visit)
    return visit


def pool_card(house: House, label: str = "V-01", raw: str = "0F01ABCDEF") -> VisitorCard:
    """A card in the visitors' pool."""
    number = CardNumber.from_bytes(CardFormat.EM4100, bytes.fromhex(raw))
    return house.desks.visitor_cards.add(house.actor(Role.TECNICO_INFRA), number, label=label)


def goes_in(house: House, role: Role, zone: str) -> None:
    """A reader saw somebody enter: where they are is what it would have left behind."""
    person, now = house.people[role].id, house.clock()
    with house.store.begin() as tx:
        seen = Presence(id=person, zone=zone, since=now, seen_at=now, door="cd-1")
        (tx.presence.save if tx.presence.maybe(person) else tx.presence.add)(seen)
        tx.record(Fact.DOOR_OPENED, at=now, actor=SYSTEM, door="cd-1")
        tx.commit()
