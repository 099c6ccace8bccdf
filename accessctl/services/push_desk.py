"""The desk that controllers call: who may call, what they tell, what they ask, and what they are told (`PushHandler`).

Everything that is acknowledged was committed first, in a group with whatever else waited (`group_commit`). A question
at a door goes to the decider at once; its answer is recorded before it is given, and leaving is granted whatever
happens. What a controller holds is kept by `push_keeper`: nothing where it asks for each card, what may open now where
it decides alone.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.devices import CommandKind, CommandState
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Direction
from accessctl.domain.policy import Decision
from accessctl.domain.schedules import GUATEMALA
from accessctl.ports import (
    CallRefused,
    DoorDecider,
    NotRecorded,
    NotStored,
    PushAbilities,
    PushCaller,
    PushDoorState,
    PushEvent,
    PushKind,
    PushOrder,
    PushOrderKind,
    PushRegistration,
    PushResult,
    PushRows,
    PushUser,
    PushVerdict,
)
from accessctl.services.alarm_desk import Subject, is_raised, raise_alarm, settle
from accessctl.services.desired import ours_on
from accessctl.services.group_commit import GroupCommit
from accessctl.services.intake import DOUBTFUL
from accessctl.services.office import Office
from accessctl.services.passage_reports import PassageReports
from accessctl.services.policy_source import PolicySource
from accessctl.services.push_events import ALARMS
from accessctl.services.push_health import Contacts
from accessctl.services.push_held import note_rogues
from accessctl.services.push_keeper import ControllerKeeper
from accessctl.services.push_orders import PushOrders
from accessctl.services.push_reading import credential_of, direction_of, factor_of
from accessctl.services.push_round import KINDS
from accessctl.services.push_site import SiteBook, Strangers
from accessctl.services.push_uploads import PushUploads, Stored, change_health, doubt
from accessctl.services.store import Work
from accessctl.services.watch import OPENING_SECONDS

LONGEST_EXIT_S = 3.0  # that an exit waits for its decision to be recorded
AT_THE_EXITS = 8  # decisions on the way out at once
MOST_WAITING = 20  # commands of people for one controller
_Data = dict[str, str | int | bool | None]

log = structlog.get_logger("push")


class PushDesk:
    """Serves all controllers of this process (see `accessctl.ports.PushHandler`). `close` commits what waits."""

    def __init__(
        self, office: Office, policy: PolicySource, decider: DoorDecider, reports: PassageReports, *, secret: bytes
    ) -> None:
        self._office = office
        self._policy = policy
        self._decider = decider
        self._site = SiteBook(office.store, secret)
        self._strangers = Strangers()
        self._commits = GroupCommit(office.store, before=self._begin_group)
        self._orders = PushOrders(office, self._commits)
        self._keeper = ControllerKeeper(office, self._commits, site=policy.site, town=policy.town)
        self._contacts = Contacts(office, self._commits)
        self._uploads = PushUploads(
            office, policy, reports, site=self._site, orders=self._orders, contacts=self._contacts
        )
        self._leaving = ThreadPoolExecutor(AT_THE_EXITS, thread_name_prefix="leaving")
        self._lock = threading.Lock()
        self._sessions: dict[str, str] = {}
        self._registered: dict[str, bool] = {}
        self._in_seconds: dict[str, bool] = {}
        self._stamps: dict[str, int] = {}

    def close(self) -> None:
        """Commit what waits, then end."""
        self._leaving.shutdown()
        self._commits.close()

    # -- who calls

    def identify(self, serial: str, source: str) -> PushCaller:
        """Raises `CallRefused` unless this serial number is ours and calls from the address in the site's file."""
        now = self._office.clock()
        device = self._site.controllers(now).by_serial.get(serial)
        if device is None:
            self.refused(source, serial, "unknown_serial")
            raise CallRefused("unknown serial")
        if not device.source or device.source != source:
            self._impostor(device, source, now)
            raise CallRefused("another address")
        self._contacts.called(device.id, now)
        with self._lock:
            session = self._sessions.get(device.id)
            registered = self._registered.get(device.id)
        if session is None or registered is None:
            session, registered = self._first_call(device)
        return PushCaller(
            device=device.id,
            serial=serial,
            session=session,
            registry_code=self._site.registration_code(serial),
            registered=registered,
            stamp=self._stamps.get(device.id, 0),
            dates_in_seconds=self._in_seconds.get(device.id, False),
        )

    def _first_call(self, device: Device) -> tuple[str, bool]:
        with self._office.store.view() as tx:
            health = tx.health.maybe(device.id)
        with self._lock:
            self._in_seconds.setdefault(device.id, bool(health and health.dates_in_seconds))
            session = self._sessions.setdefault(device.id, self._office.new_id().upper()[:32])
            return session, self._registered.setdefault(device.id, bool(health and health.serial))

    def refused(self, source: str, serial: str, what: str) -> None:
        """Record a call that was refused, once in a while for each caller. Does not wait."""
        now = self._office.clock()
        if not self._strangers.is_news(now, what, serial, source):
            return
        data: _Data = {"kind": "call_refused", "what": what[:60], "serial": serial[:32], "source": source[:45]}
        self._submit(lambda tx: tx.record(Fact.DEVICE_EVENT, at=now, actor=SYSTEM, data=data))

    def _impostor(self, device: Device, source: str, now: datetime) -> None:
        """A second controller with a serial number of ours, or somebody who says so."""
        if not self._strangers.is_news(now, "impostor", device.serial, source):
            return
        data: _Data = {"kind": "call_refused", "what": "wrong_address", "serial": device.serial, "source": source[:45]}

        def job(tx: Work) -> None:
            tx.record(Fact.DEVICE_EVENT, at=now, actor=SYSTEM, device=device.id, data=data)
            about = Subject(key=f"{device.id}/serial", device=device.id, detail=f"same serial from {source[:45]}")
            raise_alarm(tx, self._office, AlarmKind.TAMPER, about, at=now)

        self._submit(job)

    def registered(self, caller: PushCaller, registration: PushRegistration) -> None:
        """A controller introduced itself: it may be another than before, and holds who knows what."""
        now = self._office.clock()

        def job(tx: Work) -> None:
            data: _Data = {"serial": caller.serial, "firmware": registration.firmware, "name": registration.name}
            data |= {"doors": registration.doors}
            tx.record(Fact.DEVICE_IDENTIFIED, at=now, actor=SYSTEM, device=caller.device, data=data)
            change_health(tx, caller.device, serial=caller.serial, firmware=registration.firmware[:60])

        self._commits.do(job)
        with self._lock:
            self._registered[caller.device] = True
        self.described(caller, registration.abilities)
        self._keeper.look_again(caller.device, anew=True)

    def described(self, caller: PushCaller, abilities: PushAbilities) -> None:
        """How it wants its tables written. Where that is news, they are written anew."""

        def job(tx: Work) -> bool:
            health = tx.health.maybe(caller.device)
            said = {
                "dates_in_seconds": abilities.dates_in_seconds,
                "doors_by_number": abilities.doors_by_number,
            }
            news = {key: value for key, value in said.items() if value not in {None, getattr(health, key, False)}}
            if news:
                change_health(tx, caller.device, **{key: bool(value) for key, value in news.items()})
            return bool(news)

        if self._commits.do(job):
            if abilities.dates_in_seconds is not None:
                with self._lock:
                    self._in_seconds[caller.device] = abilities.dates_in_seconds
            self._keeper.look_again(caller.device, anew=True)

    # -- what they tell

    def events(self, caller: PushCaller, events: Sequence[PushEvent], *, stamp: int | None = None) -> int:
        """Store a batch; how many of it were new."""
        if not events:
            return 0
        received = self._office.clock()

        def job(tx: Work) -> Stored:
            return self._uploads.store(tx, caller.device, events, received)

        stored = self._commits.do(job, weight=len(events), then=self._uploads.committed)
        if stamp is not None:
            self._stamps[caller.device] = stamp
        return stored.count

    def states(self, caller: PushCaller, states: Sequence[PushDoorState], at: datetime | None) -> None:
        """How the doors stand: raises what their events did not, and settles what is over. Compares the clock."""
        received = self._office.clock()
        self._compare(caller.device, at, received)
        doors = self._site.controllers(received)

        def job(tx: Work) -> None:
            for state in states:
                door = doors.door(caller.device, state.door) if caller.device in doors.by_id else ""
                if not door:
                    continue
                for kind in state.alarms:
                    if not is_raised(tx, ALARMS[kind], door):
                        about = Subject(key=door, device=caller.device, door=door, detail="rtstate")
                        raise_alarm(tx, self._office, ALARMS[kind], about, at=received)
                if PushKind.HELD_OPEN not in state.alarms and state.open is False:
                    settle(tx, AlarmKind.DOOR_HELD_OPEN, door, cause="closed", at=received)

        self._commits.do(job)

    def users(self, caller: PushCaller, users: Sequence[PushUser]) -> None:
        """Users that it tells of unasked: who is not ours is an alarm at once, and all of it is read again."""
        now = self._office.clock()
        device = self._site.controllers(now).by_id.get(caller.device)
        if device is None:
            raise NotStored("the controller left the site's file meanwhile")

        def job(tx: Work) -> None:
            ours = ours_on(tx, device)
            strange = [user for user in users if user.pin not in ours]
            note_rogues(tx, self._office, device.id, strange, whole=False, at=now)

        self._commits.do(job, weight=1 + len(users))
        self._keeper.look_again(device.id)

    def answered(self, caller: PushCaller, rows: PushRows) -> None:
        """Part of what it holds, because the keeper asked."""
        self._keeper.answered(caller.device, rows)

    # -- what they ask

    def online(self, caller: PushCaller, question: PushEvent) -> PushVerdict:
        """Decide at the door, now. Leaving is granted whatever happens."""
        now = self._office.clock()
        self._compare(caller.device, question.at, now)
        controllers = self._site.controllers(now)
        device = controllers.by_id.get(caller.device)
        if device is None:
            raise NotStored("the controller left the site's file meanwhile")
        direction = direction_of(question, device)

        def decide() -> Decision:
            with self._commits.ahead():
                return self._decider.shown(
                    door=controllers.door(device.id, question.door),
                    credential=credential_of(question, self._is_known),
                    direction=direction,
                    at=now,
                    device=device.id,
                    factor=factor_of(question),
                )

        try:
            # Whoever leaves does not wait for a store that another holds; what was decided is recorded when it can be.
            out = direction is Direction.OUT
            decision = self._leaving.submit(decide).result(LONGEST_EXIT_S) if out else decide()
        except NotRecorded as failure:
            # No room on the disk: the door goes on by the rules. The controller's own event of the opening is not
            # acknowledged until it can be stored, so that the record has it then.
            log.warning("decided and not recorded", device=device.id, granted=failure.decision.granted)
            decision = failure.decision
        except Exception as failure:
            log.exception("decision failed", device=device.id, leaving=direction is Direction.OUT)
            if direction is Direction.OUT:  # nobody is kept inside by a full disk or a bug of ours
                return PushVerdict(granted=True, seconds=OPENING_SECONDS)
            raise NotStored("no decision") from failure
        return PushVerdict(granted=decision.granted, seconds=OPENING_SECONDS if decision.granted else 0)

    def _is_known(self, key: str) -> bool:
        """Whether a card of ours, or of the visitors' pool, has this number. The decision itself is the decider's."""
        for snapshot in (self._uploads.snapshot, self._policy.current):
            if snapshot().credentials.get(key) is not None:
                return True
        with self._office.store.view() as tx:
            return tx.visitor_cards.in_pool(key) is not None

    def next_command(self, caller: PushCaller) -> tuple[int, PushOrder] | None:
        """At most one for a poll: what people ask and what cannot wait, then what it should hold."""
        device = self._site.controllers(self._office.clock()).by_id.get(caller.device)
        if device is None:
            return None
        with self._office.store.view() as tx:  # once for both: most polls find nothing to do
            waiting = tx.commands.find(device=device.id, state=CommandState.WAITING, limit=MOST_WAITING)
            health = tx.health.maybe(device.id)
        if found := self._orders.next(device, waiting):
            return found
        if not caller.registered or health is None:
            return None
        asked = [one.id for one in waiting if one.kind is CommandKind.APPLY]
        order = self._keeper.next(device, health, asked=asked)
        return self._orders.give(device.id, order) if order is not None else None

    def results(self, caller: PushCaller, results: Sequence[PushResult]) -> None:
        """What came of commands. A controller that cannot send again is asked for its new events instead."""
        for order, code in self._orders.results(caller.device, results):
            if order.kind in KINDS:
                device = self._site.controllers(self._office.clock()).by_id.get(caller.device)
                if device is not None:
                    self._keeper.result(device, order, code)
            if order.kind is PushOrderKind.RESEND and code < 0:
                self._orders.ask(caller.device, PushOrder(kind=PushOrderKind.QUERY_NEW_EVENTS))
            if order.kind is PushOrderKind.SET_CLOCK and code >= 0:
                self._record_clock_set(caller.device)

    # -- clocks

    def _compare(self, device: str, device_time: datetime | None, now: datetime) -> None:
        """The time in what is sent at the moment it happens, against ours."""
        if device_time is None:
            return
        local = now.astimezone(GUATEMALA).replace(tzinfo=None)
        skew_s = int((device_time - local).total_seconds())
        before = self._contacts.skew(device)
        self._contacts.compared(device, skew_s)
        wrong, was_wrong = (abs(one or 0) > DOUBTFUL.total_seconds() for one in (skew_s, before))
        if wrong:
            self._orders.ask(device, PushOrder(kind=PushOrderKind.SET_CLOCK))
        if wrong and not was_wrong:
            self._submit(lambda tx: doubt(tx, self._office, device, skew_s, now))
        elif not wrong and (was_wrong or before is None):
            self._submit(lambda tx: settle(tx, AlarmKind.CLOCK_DOUBTFUL, device, cause="clock_right", at=now))

    def _record_clock_set(self, device: str) -> None:
        now = self._office.clock()
        self._submit(lambda tx: tx.record(Fact.DEVICE_CLOCK_SET, at=now, actor=SYSTEM, device=device))

    def _begin_group(self) -> None:
        self._uploads.begin_group()

    def _submit(self, job: Callable[[Work], object]) -> None:
        """Have something recorded without waiting for it; where too much waits it is left out."""
        try:
            self._commits.submit(job)
        except NotStored:
            log.warning("not recorded: too much waits")
