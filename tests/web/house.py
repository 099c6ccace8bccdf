"""A house to test the panel in: a real store, the real desks, the people of the manual, doors, readers, terminals.

    house.client(Role.RECEPCION)       a browser that has signed in as that person
    house.case(step=3)                 a request of procedure 10 that waits at step 3

Nothing of it is a stand-in: what a device would do (a card held to a reader, a finger enrolled, an event of a door)
is done through the desk or shelf through which the driver would do it.
"""

import atexit
import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from accessctl.clock import new_id
from accessctl.documents.extract import ExtractPress
from accessctl.documents.press import Press
from accessctl.documents.printed_list import PrintedLists
from accessctl.documents.report_press import ReportPress
from accessctl.documents.visit_press import VisitPress
from accessctl.documents.workbook import Workbooks
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.devices import DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Person, Role
from accessctl.domain.places import Device, Direction, Door, Transport, Zone, ZoneClass
from accessctl.domain.schedules import ALWAYS, OFFICE_HOURS
from accessctl.domain.visits import VisitRules
from accessctl.record import Signer
from accessctl.services.account_desk import AccountDesk
from accessctl.services.alarm_desk import AlarmDesk
from accessctl.services.alarm_files import AlarmFiles
from accessctl.services.bulletin import Bulletin
from accessctl.services.capture_desk import CaptureDesk
from accessctl.services.delivery_desk import DeliveryDesk
from accessctl.services.enrolment_desk import EnrolmentDesk
from accessctl.services.erasure import ErasureDesk, Retention
from accessctl.services.escort_desk import EscortDesk
from accessctl.services.exports import ExportDesk
from accessctl.services.extracts import ExtractDesk
from accessctl.services.folio_desk import FolioDesk
from accessctl.services.office import Office
from accessctl.services.papers import Papers
from accessctl.services.people_desk import PeopleDesk
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.refusals import Refusals
from accessctl.services.register_comparison import RegisterComparison
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.reports import Reports
from accessctl.services.request_desk import RequestDesk, RequestForm
from accessctl.services.request_files import RequestFiles
from accessctl.services.search_desk import SearchDesk
from accessctl.services.site_desk import Site, SiteDesk
from accessctl.services.stock_desk import StockDesk
from accessctl.services.store import DeviceEvent
from accessctl.services.vault import Vault
from accessctl.services.visit_desk import VisitDesk
from accessctl.services.visit_differences import VisitDifferences
from accessctl.services.visit_files import VisitFiles
from accessctl.services.visit_papers import VisitPapers
from accessctl.services.visit_register_desk import VisitRegisterDesk
from accessctl.services.visitor_card_desk import VisitorCardDesk
from accessctl.services.watch import Watch
from accessctl.services.zone_desk import ZoneDesk
from accessctl.storage.unit_of_work import SqlStore
from accessctl_web.app import create_app
from accessctl_web.desks import Desks
from accessctl_web.export_shelf import clear_shelves
from accessctl_web.settings import PanelSettings
from tests.stores import sqlite_store

PASSWORD = "una frase larga y propia"
KEEP = Retention(people=timedelta(days=1825), visitors=timedelta(days=365))
BEGINS = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # a Tuesday, 08:00 in Guatemala
CARD = "0F0184F07A"

CAST = {
    Role.RECEPCION: ("Marta Lidia Ajú Sicán", "Secretaria de Recepción", "Dirección de Tecnología y Servicio"),
    Role.SECRETARIA_INFRA: ("Dora Elizabeth Xicay", "Secretaria", "Infraestructura Tecnológica"),
    Role.TECNICO_INFRA: ("Byron Estuardo Tzul", "Técnico en Infraestructura", "Infraestructura Tecnológica"),
    Role.TECNICO_TELECOM: ("Wilson Chex Morales", "Técnico", "Telecomunicaciones"),
    Role.JEFE: ("Ana Lucía Monterroso", "Jefa de Departamento", "Infraestructura Tecnológica"),
    Role.GUARDIA: ("Rigoberto Cojón", "Guardia", "Seguridad"),
    Role.AUDITOR: ("Silvia Marroquín", "Auditora", "Auditoría Interna"),
    Role.ADMIN: ("Óscar Ruano", "Administrador", "Infraestructura Tecnológica"),
}
USER = ("José Fernando Ñáñez", "Analista", "Desarrollo y Gestión de Sistemas")


def dpi(number: int) -> str:
    """A DPI with a right check digit, of Guatemala, Guatemala."""
    digits = f"{number:08d}"
    check = sum(int(digit) * position for digit, position in zip(digits, range(2, 10), strict=True)) % 11
    return f"{digits}{check}0101" if check < 10 else dpi(number + 7)


@dataclass
class HandClock:
    """A clock that stands until it is put forward."""

    at: datetime = BEGINS

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: int) -> None:
        self.at += timedelta(**by)


@dataclass
class House:
    """Store, desks, people and the panel in front of them."""

    store: SqlStore
    folder: Path
    people: dict[Role, Person] = field(default_factory=dict)
    accounts: dict[Role, str] = field(default_factory=dict)
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.settings = PanelSettings(
            secret_key=os.urandom(32),
            exports=self.folder / "exports",
            cookie_secure=False,
            stream_lasts=timedelta(seconds=2),
            heartbeat=timedelta(seconds=1),
            event_streams=2,
        )
        self.office = Office(store=self.store, clock=self.clock, new_id=new_id)
        self.desks = self._desks()
        if not self.people:
            self._furnish()
        self.user = self.people[Role.USUARIO]
        self.app: Flask = create_app(self.desks, self.settings)
        self.app.testing = False  # error pages as people see them

    def _desks(self) -> Desks:
        office, rules = self.office, VisitRules()
        keeper = RecordKeeper(office, Signer("accessctl.test", bytes(range(32))))
        return Desks(
            accounts=AccountDesk(office, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            people=PeopleDesk(office),
            requests=RequestDesk(office, authorisation_lasts=timedelta(days=30)),
            files=RequestFiles(office),
            enrolment=EnrolmentDesk(office, Vault(bytes(32)), os.urandom),
            captures=CaptureDesk(office),
            stock=StockDesk(office),
            delivery=DeliveryDesk(office),
            removals=RemovalDesk(office),
            alarms=AlarmDesk(office),
            alarm_files=AlarmFiles(office),
            bulletin=Bulletin(office),
            watch=Watch(office),
            papers=Papers(office, Press(), keeper),
            exports=ExportDesk(office, keeper, {"xlsx": Workbooks(), "pdf": PrintedLists()}),
            keeper=keeper,
            reports=Reports(office, keeper, ReportPress()),
            searches=SearchDesk(office),
            erasure=ErasureDesk(office, KEEP, self.store.scrub, partial(clear_shelves, self.folder / "exports")),
            extracts=ExtractDesk(office, keeper, ExtractPress(), KEEP),
            refusals=Refusals(office),
            visits=VisitDesk(office, rules),
            visit_register=VisitRegisterDesk(office),
            visitor_cards=VisitorCardDesk(office),
            escort=EscortDesk(office, rules),
            visit_files=VisitFiles(office),
            visit_differences=VisitDifferences(office, rules),
            zones=ZoneDesk(office),
            folios=FolioDesk(office),
            visit_papers=VisitPapers(office, VisitPress(), keeper),
            register_comparison=RegisterComparison(office),
            clock=self.clock,
        )

    def _furnish(self) -> None:
        zones = (
            Zone(id="subgerencia", name="Subgerencia de Tecnología"),
            Zone(id="cdatos", name="Centro de Datos", zone_class=ZoneClass.DATA_CENTRE, inside="subgerencia"),
        )
        doors = (
            Door(id="sub-1", name="Subgerencia, puerta principal", zone="subgerencia"),
            Door(id="sub-2", name="Subgerencia, puerta posterior", zone="subgerencia"),
            Door(id="cd-1", name="Centro de Datos, puerta 1", zone="cdatos"),
        )
        devices = (
            Device(id="lobby", transport=Transport.ZK, address="tcp://127.0.0.1:4370", doors=("sub-1",)),
            Device(id="fondo", transport=Transport.ZK, address="tcp://127.0.0.1:4371", doors=("sub-2",)),
            Device(id="cd-panel", transport=Transport.PUSH, serial="3383154200002", doors=("cd-1",), online=True),
            Device(
                id="escritorio", transport=Transport.RDM6300, address="serial:///dev/ttyUSB0", direction=Direction.IN
            ),
        )
        SiteDesk(self.office).apply(SYSTEM, Site(zones=zones, doors=doors, devices=devices))
        with self.store.begin() as tx:
            for schedule in (ALWAYS, OFFICE_HOURS):
                if tx.schedules.maybe(schedule.id) is None:
                    tx.schedules.add(schedule)
            for device in devices:
                seen = DeviceHealth(id=device.id, online=device.id != "fondo", last_seen=self.clock(), skew_s=1)
                (tx.health.save if tx.health.maybe(device.id) else tx.health.add)(seen)
            tx.record(Fact.SETTING_CHANGED, at=self.clock(), actor=SYSTEM)
            tx.commit()
        for at, (role, (name, position, department)) in enumerate(CAST.items()):
            person = self.person(name, position=position, department=department, number=20_000_000 + at * 101)
            account = self.desks.accounts.add(
                SYSTEM,
                username=role.value,
                password=PASSWORD,
                person=person.id,
                roles=frozenset({role}),
                reference="P1",
            )
            self.people[role] = person
            self.accounts[role] = account.id
        name, position, department = USER
        self.people[Role.USUARIO] = self.person(name, position=position, department=department, number=31_415_926)

    def person(self, name: str, *, position: str = "Analista", department: str = "Sistemas", number: int) -> Person:
        """Somebody on file."""
        return self.desks.people.register(
            SYSTEM,
            full_name=name,
            document_kind="dpi",
            document_number=dpi(number),
            email="persona@ejemplo.gt",
            department=department,
            position=position,
        )

    def actor(self, role: Role) -> Actor:
        """The person of that role, acting."""
        found = self.desks.accounts.who(self.accounts[role], 1)
        assert found is not None
        return found

    def client(self, role: Role | None = None) -> FlaskClient:
        """A browser, signed in as the person of a role."""
        client = self.app.test_client()
        if role is not None:
            answer = post(client, "/entrar", username=role.value, password=PASSWORD)
            assert answer.status_code == 303, answer.text
        return client

    def stock(self, raw: str = CARD) -> CardNumber:
        """An EM4100 card in stock."""
        number = CardNumber.from_bytes(CardFormat.EM4100, bytes.fromhex(raw))
        self.desks.stock.add(self.actor(Role.TECNICO_INFRA), number, label="A-001")
        return number

    def case(self, *, step: int, authorised: bool = True, user: Person | None = None, card: str = CARD) -> str:
        """A request that waits at `step` (7 = closed)."""
        desks, user = self.desks, user or self.user
        form = RequestForm(
            beneficiary=user.id,
            requester=self.people[Role.JEFE].id,
            authority=self.people[Role.JEFE].id,
            justification="Nuevo ingreso al equipo de desarrollo",
            doors=("sub-1", "sub-2"),
            schedule="office",
            valid_from=self.clock(),
            valid_until=None,
        )
        case = desks.requests.register(self.actor(Role.RECEPCION), form)
        technician = self.actor(Role.TECNICO_INFRA)
        if authorised:
            desks.requests.sign_off(self.actor(Role.JEFE), case)
        if step > 2:
            secretary = self.actor(Role.SECRETARIA_INFRA)
            desks.requests.assign(secretary, case, technician=self.accounts[Role.TECNICO_INFRA])
        if step > 3:
            desks.enrolment.choose_card(technician, case, self.stock(card))
            desks.enrolment.choose_access(technician, case, doors=("sub-1",), schedule="office")
            desks.enrolment.waive_finger(technician, case, why="Lesión en ambas manos")
            desks.enrolment.complete(technician, case)
        if step > 4:
            strokes = [[(20.0, 80.0), (90.0, 40.0), (160.0, 90.0)], [(180.0, 60.0), (260.0, 60.0)]]
            shown = user.document.number
            desks.delivery.sign_receipt(technician, case, strokes=strokes, width=600, height=220, document_shown=shown)
        if step > 5:
            desks.delivery.deliver(technician, case)
        if step > 6:
            desks.requests.inform(self.actor(Role.SECRETARIA_INFRA), case)
        return case

    def happens(
        self, fact: Fact, *, door: str = "sub-1", reason: str = "", norm: str = "", person: str = "", n: int = 0
    ) -> int:
        """An event of a terminal enters the record as intake would put it there."""
        with self.store.begin() as tx:
            event = DeviceEvent(
                identity=f"lobby/{n}/{fact.value}/{self.clock().isoformat()}",
                fact=fact,
                at=self.clock(),
                received_at=self.clock(),
                device="lobby",
                door=door,
                zone="subgerencia",
                direction="in",
                reason=reason,
                norm=norm,
                person=person,
                credential="em4100:40:0F0184F07A",
            )
            (index,) = tx.events.store([event])
            tx.commit()
        return index


@cache
def _furnished() -> tuple[Path, dict[Role, Person], dict[Role, str]]:
    """A furnished database, its people and accounts: made once in a process, copied for each test."""
    folder = Path(tempfile.mkdtemp(prefix="accessctl-house-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    house = House(sqlite_store(folder / "house.db"), folder)
    house.store.close()  # folds the WAL into the file
    return folder / "house.db", house.people, house.accounts


def house_in(folder: Path) -> House:
    """A furnished house of its own in this folder."""
    file, people, accounts = _furnished()
    shutil.copyfile(file, folder / "house.db")
    return House(sqlite_store(folder / "house.db"), folder, people=people, accounts=accounts)


def token(client: FlaskClient, path: str = "/entrar") -> str:
    """The form token of this browser's session, as a page carries it."""
    page = client.get(path, follow_redirects=True).text
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


def post(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    """Send a form with its token, as a person would."""
    return client.post(path, data={"csrf_token": token(client), **fields}, content_type="multipart/form-data")
