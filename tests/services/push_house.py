"""A small site with controllers, its push desk, and a clock that the test moves. Everything else is the product's."""

from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from accessctl.domain.alarms import Alarm, AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Direction, Transport
from accessctl.domain.schedules import GUATEMALA
from accessctl.domain.visits import VisitRules
from accessctl.ports import PushCaller, PushEvent
from accessctl.services.doorway import Doorway
from accessctl.services.office import Office
from accessctl.services.passage_reports import PassageReports
from accessctl.services.policy_source import PolicySource
from accessctl.services.push_desk import PushDesk
from accessctl.services.store import EventFilter, EventRow
from accessctl_drivers.push.events import parse_rtlog
from tests.services.premises import Premises

SERIAL = "3383154200002"
HERE = "10.1.1.5"


@dataclass
class PushHouse:
    """The desk in front of the premises, with two controllers: one asks at each card, one decides alone."""

    premises: Premises
    now: datetime = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)  # a Tuesday, 09:00 in Guatemala
    numbers: int = 0
    desk: PushDesk = field(init=False)

    def __post_init__(self) -> None:
        with self.premises.store.begin() as tx:
            for device in (
                Device(
                    id="cd-panel",
                    transport=Transport.PUSH,
                    serial=SERIAL,
                    source=HERE,
                    doors=("cd-1", "sub-1"),
                    online=True,
                ),
                Device(
                    id="alone",
                    transport=Transport.PUSH,
                    serial="A1",
                    source=HERE,
                    doors=("sub-1",),
                    direction=Direction.OUT,
                ),
                Device(id="nowhere", transport=Transport.PUSH, serial="N1", doors=("sub-1",)),
            ):
                tx.devices.add(device)
            tx.record(Fact.SITE_APPLIED, at=self.now, actor=SYSTEM)
            tx.commit()
        self._open()

    def _open(self) -> None:
        store = self.premises.store
        self.office = Office(store=store, clock=lambda: self.now, new_id=self._new_id)
        policy = PolicySource(store, town="Guatemala")
        rules = VisitRules()
        doorway, reports = Doorway(self.office, policy, rules), PassageReports(self.office, policy, rules)
        self.desk = PushDesk(self.office, policy, doorway, reports, secret=b"s" * 32)

    def restarted(self) -> "PushHouse":
        """The same site in front of another process."""
        other = copy(self)
        other._open()
        return other

    def _new_id(self) -> str:
        self.numbers += 1
        return f"f{self.numbers:031x}"

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def caller(self, serial: str = SERIAL) -> PushCaller:
        return self.desk.identify(serial, HERE)

    def local(self, seconds_ago: float = 0) -> datetime:
        """The controller's clock, which is right."""
        return (self.now - timedelta(seconds=seconds_ago)).astimezone(GUATEMALA).replace(tzinfo=None, microsecond=0)

    def lines(
        self, *events: tuple[int, int], pin: str = "0", card: int = 0, door: int = 1, ago: float = 0
    ) -> list[PushEvent]:
        """Events as (index, code), a second apart."""
        return parse_rtlog(
            [
                f"time={self.local(ago - number):%Y-%m-%d %H:%M:%S}\tpin={pin}\tcardno={card}\teventaddr={door}"
                f"\tevent={code}\tinoutstatus=0\tverifytype=4\tindex={index}"
                for number, (index, code) in enumerate(events)
            ]
        )

    def settled(self) -> None:
        """Everything that was submitted without waiting has been committed."""
        self.desk._commits.do(lambda _: None)

    def rows(self, *events: Fact, device: str = "cd-panel") -> list[EventRow]:
        self.settled()
        with self.premises.store.view() as tx:
            which = EventFilter(device=device, events=tuple(event.value for event in events))
            return tx.events.rows(which, limit=1000)

    def alarms(self, kind: AlarmKind) -> list[Alarm]:
        self.settled()
        with self.premises.store.view() as tx:
            return tx.alarms.find(kind=kind)
