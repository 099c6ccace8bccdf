"""A site that lives: real clock, real store, simulated terminals on real sockets, and a keeper in a thread for each.

    with kept(site, lobby=terminal) as keepers:
        site.settled("lobby")
        terminal.present_card(card)
        site.awaits("door:entry:granted")

Everything is waited for with a deadline; nothing sleeps for a fixed time. The pace is the product's, only faster.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from accessctl.domain.alarms import Alarm, AlarmKind
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.cards import Card, CardState
from accessctl.domain.devices import Command, DeviceHealth
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, DocumentKind, IdentityDocument, Person
from accessctl.domain.places import Device, Transport
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.ports import TerminalDriver
from accessctl.services.fleet import Fleet
from accessctl.services.intake import Intake
from accessctl.services.keeper import Pace, TerminalKeeper
from accessctl.services.policy_source import PolicySource
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.request_desk import RequestForm
from accessctl.services.store import EventFilter, EventRow
from accessctl.services.vault import Vault
from accessctl.services.watch import Watch
from accessctl_drivers.zkteco.terminal import ZkTerminalDriver
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.services.premises import INFRA, Premises

T = TypeVar("T")
PATIENCE_S = 20.0
FAST = Pace(
    listen_s=0.05,
    seen_every=timedelta(seconds=0.2),
    log_every=timedelta(seconds=0.3),
    clock_every=timedelta(seconds=0.3),
    compare_every=timedelta(seconds=0.2),
    read_back_every=timedelta(seconds=0.5),
    first_pause_s=0.05,
    longest_pause_s=0.4,
    exposed_pause_s=0.2,
    steady_after=timedelta(seconds=2),
    pending_after=timedelta(seconds=0.5),
)
DOORS = {"lobby": ("sub-1",), "infra": ("cd-1",)}


def until(what: str, holds: Callable[[], T], *, seconds: float = PATIENCE_S) -> T:
    """The first true answer; fails, saying what was waited for."""
    end = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
    return answer


@dataclass
class Site(Premises):
    """`Premises` on the wall clock, with the device side's services."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.watch = Watch(self.office)
        self.removals = RemovalDesk(self.office)
        self.vault = Vault(b"v" * 32)
        self.policy = PolicySource(self.store, town="Guatemala")
        self.intake = Intake(self.office, self.policy)
        self.fleet = Fleet(self.office, self.vault, self.removals, town="Guatemala")
        with self.store.begin() as tx:
            tx.devices.add(Device(id="infra", transport=Transport.ZK, address="tcp://127.0.0.1:1", doors=("cd-1",)))
            tx.record(Fact.SITE_APPLIED, at=self.tick(), actor=SYSTEM)
            tx.commit()

    def tick(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        return uuid.uuid4().hex

    def request(self, person: Person, *, doors: tuple[str, ...] = ("cd-1", "sub-1")) -> str:
        jefe = self.actors["jefe"]
        form = RequestForm(
            beneficiary=person.id,
            requester=jefe.person,
            authority=jefe.person,
            justification="Turno de noche",
            doors=doors,
            schedule="always",
            valid_from=self.tick() - timedelta(hours=1),
            valid_until=None,
        )
        case = self.requests.register(self.actors["recepcion"], form)
        self.requests.sign_off(jefe, case)
        return case

    def configure(self, case: str, *, card: int = 0x0184F07A, doors: tuple[str, ...] = ("sub-1",)) -> None:
        """P10.02 and P10.03, the finger waived."""
        self.begin_configuring(case, card=card, doors=doors)
        self.enrolment.waive_finger(self.actors["tecnico"], case, why="Huellas gastadas")
        self.enrolment.complete(self.actors["tecnico"], case)

    def begin_configuring(self, case: str, *, card: int, doors: tuple[str, ...] = ("sub-1",)) -> None:
        """P10.02 and P10.03 without a word on the finger."""
        tecnico = self.actors["tecnico"]
        self.requests.assign(self.actors["secretaria"], case, technician=tecnico.account)
        number = CardNumber.from_bytes(CardFormat.EM4100, b"\x0f" + card.to_bytes(4))
        self.stock.add(tecnico, number)
        self.enrolment.choose_card(tecnico, case, number)
        self.enrolment.choose_access(tecnico, case, doors=doors, schedule="always")

    def admit(self, name: str, *, card: int, doors: tuple[str, ...] = ("sub-1",)) -> Person:
        """Procedure 10 up to the delivery."""
        person = self.person(name)
        case = self.request(person)
        self.configure(case, card=card, doors=doors)
        self.sign(case, person)
        self.deliver(case)
        return person

    def crowd(self, count: int, *, doors: tuple[str, ...] = ("sub-1",), first_card: int = 500_000) -> list[Person]:
        """So many people with an active card and open grants, written in one transaction under one real case."""
        case = self.request(self.person("Primera Persona"))
        made = []
        with self.store.begin() as tx:
            number = tx.people.next_number()
            for at in range(count):
                person = Person(
                    id=self.new_id(),
                    number=number + at,
                    full_name=f"Persona Número {at}",
                    document=IdentityDocument(kind=DocumentKind.PASSPORT, number=f"C{at:08d}"),
                    email="",
                    department=INFRA,
                    position="Analista",
                )
                tx.people.add(person)
                key = b"\x0f" + (first_card + at).to_bytes(4)
                card = CardNumber.from_bytes(CardFormat.EM4100, key)
                tx.cards.add(Card(id=self.new_id(), number=card, state=CardState.ACTIVE, holder=person.id))
                for door in doors:
                    grant = AccessGrant(
                        id=self.new_id(),
                        person=person.id,
                        door=door,
                        schedule="always",
                        valid_from=self.tick() - timedelta(hours=1),
                        valid_until=None,
                        case=case,
                        state=GrantState.OPEN,
                    )
                    tx.grants.add(grant)
                made.append(person)
            tx.record(Fact.SITE_APPLIED, at=self.tick(), actor=SYSTEM)
            tx.commit()
        return made

    def remove(self, person: Person) -> str:
        """N10.4, asked by the head."""
        jefe = self.actors["jefe"]
        return self.removals.request(jefe, person=person.id, requested_by=jefe.person, reason="Deja el cargo")

    # -- looking

    def device(self, name: str) -> Device:
        with self.store.view() as tx:
            return tx.devices.get(name)

    def health(self, device: str = "lobby") -> DeviceHealth:
        with self.store.view() as tx:
            return tx.health.maybe(device) or DeviceHealth(id=device)

    def rows(self, *events: Fact, device: str = "", after: int | None = None) -> list[EventRow]:
        which = EventFilter(events=tuple(fact.value for fact in events), device=device, after_index=after)
        with self.store.view() as tx:
            return tx.events.rows(which, limit=10_000)

    def size(self) -> int:
        with self.store.view() as tx:
            return tx.events.size()

    def alarms(self, kind: AlarmKind) -> list[Alarm]:
        with self.store.view() as tx:
            return tx.alarms.find(kind=kind)

    def raised(self, kind: AlarmKind) -> Alarm:
        """Waits for such an alarm to be open."""
        return until(f"{kind} raised", lambda: [one for one in self.alarms(kind) if one.state == "raised"])[0]

    def resolved(self, kind: AlarmKind) -> Alarm:
        """Waits for such an alarm to have gone away by itself."""
        return until(f"{kind} resolved", lambda: [one for one in self.alarms(kind) if one.state == "resolved"])[0]

    def awaits(self, fact: Fact, *, count: int = 1, device: str = "", after: int | None = None) -> list[EventRow]:
        """So many entries of a kind."""

        def enough() -> list[EventRow]:
            found = self.rows(fact, device=device, after=after)
            return found if len(found) >= count else []

        return until(f"{count} × {fact}", enough)

    def settled(self, device: str = "lobby") -> DeviceHealth:
        """Waits until the device is online and holds what it should."""

        def holds() -> DeviceHealth | None:
            health = self.health(device)
            done = health.online and health.wanted_at is None and health.synced_at and not health.drift
            return health if done else None

        return until(f"{device} settled", holds)

    def online(self, device: str = "lobby") -> DeviceHealth:
        return until(f"{device} online", lambda: health if (health := self.health(device)).online else None)

    def offline(self, device: str = "lobby") -> DeviceHealth:
        return until(f"{device} offline", lambda: None if (health := self.health(device)).online else health)

    def over(self, command: Command) -> Command:
        """Waits until a command is done or failed."""

        def finished() -> Command | None:
            with self.store.view() as tx:
                now = tx.commands.get(command.id)
            return now if now.finished_at else None

        return until("the command to be over", finished)

    # -- keeping

    def keeper_of(self, device: Device, driver: TerminalDriver, *, pace: Pace = FAST) -> TerminalKeeper:
        return TerminalKeeper(
            self.office,
            device,
            driver,
            intake=self.intake,
            fleet=self.fleet,
            enrolment=self.enrolment,
            lots=Random(7),
            pace=pace,
        )


def driver_of(port: int, *, deadline: float = 1.0) -> ZkTerminalDriver:
    """The product's driver for a terminal on this machine."""
    return ZkTerminalDriver(f"tcp://127.0.0.1:{port}", deadline=deadline, bulk_deadline=20.0)


@contextmanager
def kept(site: Site, *, pace: Pace = FAST, deadline: float = 1.0, **ports: "int | Simulated") -> Iterator[None]:
    """Keep these devices (by id: a port, or a simulated terminal) until the block ends; a bug in a keeper fails."""
    stop = threading.Event()
    bugs: list[BaseException] = []

    def keep(keeper: TerminalKeeper) -> None:
        try:
            keeper.run(stop)
        except BaseException as bug:  # noqa: BLE001 -- whatever it is, the test must see it
            bugs.append(bug)

    threads = []
    for name, where in ports.items():
        port = where.port if isinstance(where, Simulated) else where
        device = replace(site.device(name), address=f"tcp://127.0.0.1:{port}")
        keeper = site.keeper_of(device, driver_of(port, deadline=deadline), pace=pace)
        threads.append(threading.Thread(target=keep, args=(keeper,), name=f"keep-{name}", daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), f"{thread.name} does not end"
        if bugs:
            raise bugs[0]
