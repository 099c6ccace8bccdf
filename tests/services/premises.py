"""A small Subgerencia for tests: people with roles, doors, terminals, and procedure 10 played through the real desks.

Time is a clock that the test moves; identities count up; everything else (store, record, desks) is the product's.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from accessctl.domain.accounts import Account
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, DocumentKind, IdentityDocument, Person, Role
from accessctl.domain.places import Device, Door, Transport, Zone, ZoneClass
from accessctl.domain.schedules import ALWAYS, OFFICE_HOURS
from accessctl.record import Signer
from accessctl.services.delivery_desk import DeliveryDesk
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.request_desk import RequestDesk, RequestForm
from accessctl.services.stock_desk import StockDesk
from accessctl.services.store import DeviceEvent
from accessctl.services.vault import Vault
from accessctl.storage.unit_of_work import SqlStore

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)  # a Monday, 08:00 in Guatemala
SIGNER = Signer("igss.example/record", b"k" * 32)
INFRA = "Departamento de Infraestructura Tecnológica"
ANALYSIS = "Departamento de Análisis"
INK = [[(20.0, 30.0), (80.0, 90.0), (150.0, 40.0)], [(200.0, 60.0), (260.0, 62.5)]]
CAST = {
    "recepcion": ("Rosa Recinos", Role.RECEPCION, "Dirección de Tecnología y Servicio", "Secretaria de Recepción"),
    "secretaria": ("Silvia Set", Role.SECRETARIA_INFRA, INFRA, "Secretaria"),
    "tecnico": ("Tomás Tzul", Role.TECNICO_INFRA, INFRA, "Técnico en Infraestructura"),
    "jefe": ("Julia Jerónimo", Role.JEFE, ANALYSIS, "Jefa de departamento"),
    "auditor": ("Aura Ajú", Role.AUDITOR, "Auditoría Interna", "Auditora"),
    "guardia": ("Gabriel Gil", Role.GUARDIA, "Seguridad", "Guardia"),
}


@dataclass
class Premises:
    """The site, with its clock."""

    store: SqlStore
    now: datetime = START
    ids: int = 0
    actors: dict[str, Actor] = field(default_factory=dict)
    furnished: bool = False  # the store has all of it already

    def __post_init__(self) -> None:
        self.office = Office(store=self.store, clock=self.tick, new_id=self.new_id)
        self.keeper = RecordKeeper(self.office, SIGNER)
        self.requests = RequestDesk(self.office, authorisation_lasts=timedelta(days=30))
        self.enrolment = EnrolmentDesk(self.office, Vault(b"v" * 32), lambda count: b"n" * count)
        self.delivery = DeliveryDesk(self.office)
        self.stock = StockDesk(self.office)
        if not self.furnished:
            self._furnish()

    def _furnish(self) -> None:
        with self.store.begin() as tx:
            for zone in (
                Zone(id="sub", name="Subgerencia de Tecnología"),
                Zone(id="cdatos", name="Centro de Datos", zone_class=ZoneClass.DATA_CENTRE, inside="sub"),
            ):
                tx.zones.add(zone)
            for door in (
                Door(id="sub-1", name="Puerta principal", zone="sub"),
                Door(id="cd-1", name="Centro de Datos, puerta 1", zone="cdatos"),
            ):
                tx.doors.add(door)
            tx.devices.add(Device(id="lobby", transport=Transport.ZK, address="tcp://127.0.0.1:4370", doors=("sub-1",)))
            for schedule in (ALWAYS, OFFICE_HOURS):
                if tx.schedules.maybe(schedule.id) is None:  # `accessctl init` makes them too
                    tx.schedules.add(schedule)
            tx.record(Fact.SITE_APPLIED, at=self.now, actor=SYSTEM)
            tx.commit()
        for key, (name, role, department, position) in CAST.items():
            person = self.person(name, department=department, position=position)
            account = Account(
                id=f"account-{key}",
                username=key,
                person=person.id,
                roles=(role,),
                password_hash="-",
                epoch=1,
                added_at=self.now,
            )
            with self.store.begin() as tx:
                tx.accounts.add(account)
                tx.record(Fact.ACCOUNT_ADDED, at=self.now, actor=SYSTEM, person=person.id)
                tx.commit()
            self.actors[key] = Actor(account=account.id, person=person.id, roles=frozenset({role}), name=name)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:032x}"

    def person(self, name: str, *, department: str = ANALYSIS, position: str = "Analista") -> Person:
        with self.store.begin() as tx:
            number = tx.people.next_number()
            person = Person(
                id=self.new_id(),
                number=number,
                full_name=name,
                document=IdentityDocument(kind=DocumentKind.PASSPORT, number=f"A{number:07d}"),
                email="",
                department=department,
                position=position,
            )
            tx.people.add(person)
            tx.record(
                Fact.PERSON_REGISTERED,
                at=self.now,
                actor=SYSTEM,
                person=person.id,
                personal={"document": f"pasaporte:{person.document.number}"},
            )
            tx.commit()
        return person

    def request(self, person: Person, *, doors: tuple[str, ...] = ("cd-1", "sub-1")) -> str:
        """P10.01, authorised by the head."""
        jefe = self.actors["jefe"]
        form = RequestForm(
            beneficiary=person.id,
            requester=jefe.person,
            authority=jefe.person,
            justification="Turno de noche",
            doors=doors,
            schedule="always",
            valid_from=START,
            valid_until=START + timedelta(days=364),
        )
        case = self.requests.register(self.actors["recepcion"], form)
        self.requests.sign_off(jefe, case)
        return case

    def configure(self, case: str, *, card: int = 0x0184F07A) -> None:
        """P10.02 and P10.03."""
        tecnico = self.actors["tecnico"]
        self.requests.assign(self.actors["secretaria"], case, technician=tecnico.account)
        number = CardNumber.from_bytes(CardFormat.EM4100, b"\x0f" + card.to_bytes(4))
        self.stock.add(tecnico, number)
        self.enrolment.choose_card(tecnico, case, number)
        self.enrolment.choose_access(tecnico, case, doors=("sub-1",), schedule="always")
        self.enrolment.choose_access(tecnico, case, doors=("cd-1", "sub-1"), schedule="office")  # thought better of it
        self.enrolment.waive_finger(tecnico, case, why="Huellas gastadas")
        self.enrolment.complete(tecnico, case)

    def sign(self, case: str, person: Person) -> None:
        """P10.04 on the screen."""
        self.delivery.sign_receipt(
            self.actors["tecnico"], case, strokes=INK, width=600, height=200, document_shown=person.document.number
        )

    def deliver(self, case: str) -> None:
        """P10.05."""
        self.delivery.deliver(self.actors["tecnico"], case)

    def delivered(self, name: str = "María José Ñandú", *, card: int = 0x0184F07A) -> tuple[str, Person]:
        """Procedure 10 up to the delivery."""
        person = self.person(name)
        case = self.request(person)
        self.configure(case, card=card)
        self.sign(case, person)
        self.deliver(case)
        return case, person

    def door_events(self, count: int, *, person: str = "", start: datetime = START, credential: str = "") -> None:
        """So many entries at the doors, a minute apart, every tenth refused."""
        events = [
            DeviceEvent(
                identity=f"lobby:{start.isoformat()}:{number}",
                fact=Fact.DOOR_REFUSED if number % 10 == 9 else Fact.DOOR_GRANTED,
                at=start + timedelta(minutes=number),
                received_at=start + timedelta(minutes=number, seconds=2),
                device="lobby",
                door="cd-1" if number % 2 else "sub-1",
                zone="cdatos" if number % 2 else "sub",
                direction="in",
                reason="outside_schedule" if number % 10 == 9 else "",
                norm="N10.3" if number % 10 == 9 else "",
                person=person,
                credential=credential or f"pin:{1000 + number % 7}",
                device_time=(start + timedelta(minutes=number)).isoformat(),
                skew_s=-(number % 3),
                data={"factor": "card", "sequence": number},
            )
            for number in range(count)
        ]
        with self.store.begin() as tx:
            tx.events.store(events)
            tx.commit()
