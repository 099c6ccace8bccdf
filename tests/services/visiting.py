"""A data centre for tests: technicians with cards, a head, a pool of visitor cards, doors that ask, the visit's desks.

Everything is the product's, on a real SQLite store; the test moves the clock.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accessctl.domain.accounts import Account
from accessctl.domain.card_numbers import CardFormat, CardNumber
from accessctl.domain.cards import Card, CardState
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Actor, Person, Role
from accessctl.domain.places import Device, Direction, Transport
from accessctl.domain.policy import Decision
from accessctl.domain.requests import AccessGrant, GrantState
from accessctl.domain.visitor_cards import VisitorCard
from accessctl.domain.visits import Equipment, Visit, VisitRules
from accessctl.services.doorway import Doorway
from accessctl.services.escort_desk import EscortDesk
from accessctl.services.passage_reports import PassageReports
from accessctl.services.policy_source import PolicySource
from accessctl.services.store import EventFilter, EventRow
from accessctl.services.visit_desk import EntryForm, VisitDesk
from accessctl.services.visit_differences import VisitDifferences
from accessctl.services.visit_files import VisitFiles
from accessctl.services.visit_register_desk import RegisterForm, VisitRegisterDesk
from accessctl.services.visit_watch import VisitWatch
from accessctl.services.visitor_card_desk import VisitorCardDesk
from accessctl.services.zone_desk import ZoneDesk
from tests.services.premises import ANALYSIS, INFRA, INK, START, Premises

TELECOM = "Departamento de Telecomunicaciones, Conectividad y Seguridad"
DISK = Equipment(description="Disco", serial="S/N 77")
RULES = VisitRules()
OUT, IN = Direction.OUT, Direction.IN


@dataclass
class Visiting:
    """The premises, with everything that a visit needs."""

    premises: Premises
    rules: VisitRules = RULES
    cards: dict[str, str] = field(default_factory=dict)  # actor -> family key
    pool: list[VisitorCard] = field(default_factory=list)

    def __post_init__(self) -> None:
        office, store = self.premises.office, self.premises.store
        self.store = store
        self.policy = PolicySource(store, town="Guatemala")
        self.desk = VisitDesk(office, self.rules)
        self.register_desk = VisitRegisterDesk(office)
        self.escorts = EscortDesk(office, self.rules)
        self.visitor_cards = VisitorCardDesk(office)
        self.zones = ZoneDesk(office)
        self.watch = VisitWatch(office, self.rules)
        self.files = VisitFiles(office)
        self.differences = VisitDifferences(office, self.rules)
        self.doorway = Doorway(office, self.policy, self.rules)
        self.reports = PassageReports(office, self.policy, self.rules)
        self._join("telecom", "Teo Tot", Role.TECNICO_TELECOM, TELECOM)
        self._join("director", "Diego Díaz", Role.DIRECTOR, "Dirección de Tecnología y Servicio")
        with store.begin() as tx:
            for device, direction in (("cd-in", IN), ("cd-out", OUT)):
                tx.devices.add(
                    Device(id=device, transport=Transport.PUSH, doors=("cd-1",), direction=direction, online=True)
                )
            tx.record(Fact.SITE_APPLIED, at=self.now, actor=SYSTEM)
            tx.commit()
        for number, who in enumerate(("tecnico", "telecom", "jefe"), start=1):
            self.cards[who] = self.card(self.person(who), number)
        for number in range(1, 8):
            bits = CardNumber.from_bytes(CardFormat.EM4100, b"\x0a" + number.to_bytes(4))
            self.pool.append(self.visitor_cards.add(self.actor("tecnico"), bits, label=f"V-{number:02d}"))

    @property
    def now(self) -> datetime:
        return self.premises.now

    def wait(self, **lapse: float) -> None:
        self.premises.now += timedelta(**lapse)

    def actor(self, who: str) -> Actor:
        return self.premises.actors[who]

    def person(self, who: str) -> str:
        return self.actor(who).person

    def _join(self, key: str, name: str, role: Role, department: str) -> None:
        person = self.premises.person(name, department=department)
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
        self.premises.actors[key] = Actor(account=account.id, person=person.id, roles=frozenset({role}), name=name)

    def card(self, person: str, number: int, *, doors: tuple[str, ...] = ("sub-1", "cd-1")) -> str:
        """A delivered card with open grants, as procedure 10 leaves them."""
        bits = CardNumber.from_bytes(CardFormat.EM4100, b"\x0b" + (0x1000 + number).to_bytes(4))
        with self.store.begin() as tx:
            tx.cards.add(Card(id=f"card-{number}", number=bits, state=CardState.ACTIVE, holder=person, since=self.now))
            tx.record(Fact.CARD_DELIVERED, at=self.now, actor=SYSTEM, person=person, credential=bits.key)
            for door in doors:
                grant = AccessGrant(
                    id=f"grant-{number}-{door}",
                    person=person,
                    door=door,
                    schedule="always",
                    valid_from=START,
                    valid_until=None,
                    case="",
                    state=GrantState.OPEN,
                )
                tx.grants.add(grant)
                tx.record(Fact.ACCESS_GRANTED, at=self.now, actor=SYSTEM, person=person, door=door)
            tx.commit()
        return bits.family_key

    # -- a visit, step by step ------------------------------------------------------------------------------------

    def form(
        self, *, zone: str = "cdatos", name: str = "Víctor Visitante", host: str = "", hours: int = 4
    ) -> EntryForm:
        return EntryForm(
            zone=zone,
            name=name,
            organisation="Proveedora, S. A.",
            purpose="Cambiar un disco",
            valid_from=self.now,
            valid_until=self.now + timedelta(hours=hours),
            host=host,
        )

    def data(
        self, number: str = "X1234567", *, escort: str = "tecnico", brought: tuple[Equipment, ...] = ()
    ) -> RegisterForm:
        return RegisterForm(
            document_kind="pasaporte",
            document_number=number,
            brought=brought,
            escort=self.person(escort),
            briefed=True,
        )

    def authorised(self, name: str = "Víctor Visitante", *, hours: int = 4) -> str:
        return self.desk.authorise(self.actor("jefe"), self.form(name=name, hours=hours))

    def registered(self, number: str = "X1234567", *, escort: str = "tecnico", hours: int = 4) -> str:
        visit = self.authorised(f"Visitante {number}", hours=hours)
        form = self.data(number, escort=escort, brought=(DISK,))
        self.register_desk.register(self.actor(escort), visit, form)
        return visit

    def signed(self, number: str = "X1234567", *, escort: str = "tecnico", card: int = 0, hours: int = 4) -> str:
        """P4.01 to P4.04, with a card of the pool; escort and visitor are inside the premises around."""
        visit = self.registered(number, escort=escort, hours=hours)
        self.sign(visit)
        self.visitor_cards.give(self.actor("guardia"), visit, self.pool[card].id)
        return visit

    def sign(self, visit: str) -> None:
        self.register_desk.sign(self.actor("guardia"), visit, strokes=INK, width=600, height=200)

    def inside(self, number: str = "X1234567", *, escort: str = "tecnico", card: int = 0, hours: int = 4) -> str:
        """A visit that went in with its escort."""
        visit = self.signed(number, escort=escort, card=card, hours=hours)
        assert self.show(escort).granted
        assert self.show(self.key(card)).granted
        return visit

    def closed(self, visit: str, *, escort: str = "tecnico") -> None:
        """P4.06 to P4.08, the card handed back."""
        self.escorts.verify_exit(self.actor(escort), visit, taken=(DISK,), activities="Cambió el disco")
        self.visitor_cards.take_back(self.actor("guardia"), self.visit(visit).card)
        self.escorts.record_exit(self.actor(escort), visit)

    # -- doors and what is known ----------------------------------------------------------------------------------

    def key(self, card: int) -> str:
        return self.pool[card].number.family_key

    def show(self, who: str, direction: Direction = IN, *, door: str = "cd-1") -> Decision:
        """A credential at a door: an actor's card, or a key itself."""
        return self.doorway.shown(
            door=door,
            credential=self.cards.get(who, who),
            direction=direction,
            at=self.premises.tick(),
            device=f"cd-{direction.value}",
        )

    def report(
        self, who: str, direction: Direction = IN, *, at: datetime | None = None, opened: bool = True
    ) -> Decision:
        """An event that the device decided alone, as the ingress would bring it."""
        with self.store.begin() as tx:
            tx.record(Fact.DEVICE_EVENT, at=self.now, actor=SYSTEM)
            decision = self.reports.reported(
                tx,
                door="cd-1",
                credential=self.cards.get(who, who),
                direction=direction,
                at=at or self.premises.tick(),
                device="cd-in",
                opened=opened,
            )
            tx.commit()
        return decision

    def visit(self, visit: str) -> Visit:
        with self.store.view() as tx:
            return tx.visits.get(visit)

    def steps(self, visit: str) -> list[str]:
        with self.store.view() as tx:
            return [f"P4.{one.step:02d}" for one in tx.cases.get(visit).done]

    def place(self, person: str) -> str:
        with self.store.view() as tx:
            presence = tx.presence.maybe(person)
            return presence.zone if presence else ""

    def alarms(self) -> dict[str, str]:
        """Kind to state, of every alarm."""
        with self.store.view() as tx:
            return {alarm.kind.value: alarm.state.value for alarm in tx.alarms.find()}

    def rows(self, *events: Fact) -> list[EventRow]:
        with self.store.view() as tx:
            return tx.events.rows(EventFilter(events=tuple(event.value for event in events)), limit=1000)

    def somebody(self, name: str, *, department: str = ANALYSIS) -> Person:
        return self.premises.person(name, department=department)


__all__ = ["ANALYSIS", "DISK", "IN", "INFRA", "OUT", "RULES", "Visiting"]
