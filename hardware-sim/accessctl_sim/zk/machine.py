"""The terminal itself: it decides alone who may open, keeps the log, moves the lock, and tells whoever listens.

Nothing here knows sockets. Sessions are handed in; packets leave through them. Runs on one event loop.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from accessctl_sim.faults import Faults
from accessctl_sim.zk.codes import Alarm, EnrolResult, Event, Verify
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.content import default_options, fill
from accessctl_sim.zk.door import Door
from accessctl_sim.zk.enrol import Enrolment, ReadyFinger, Request
from accessctl_sim.zk.fingers import block_of
from accessctl_sim.zk.live import attlog_body, duress_body, event_packet, verify_body
from accessctl_sim.zk.records import Operation, Punch, Template, User
from accessctl_sim.zk.session import Session
from accessctl_sim.zk.store import Store
from accessctl_sim.zk.times import DeviceClock, encode_time
from accessctl_sim.zk.verifymode import PendingFactors

Notice = Callable[[dict[str, object]], None]
OP_START, OP_ALARM, OP_ENROL, OP_DELETE_USER, OP_DELETE_FINGER = 0, 3, 6, 9, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What came of a card, finger or code at the reader. `reason` is `granted` or why not."""

    granted: bool
    reason: str
    user: User | None = None
    at: datetime | None = None


class Machine:
    """One terminal between its sockets and its door."""

    def __init__(self, config: TerminalConfig, *, notice: Notice) -> None:
        self.config = config
        self.notice = notice
        self.random = random.Random(config.seed)
        self.faults = Faults(seed=config.seed)
        self.clock = DeviceClock(utc_offset_hours=config.utc_offset_hours)
        self.store = Store(
            user_format=config.user_format,
            punch_format=config.record_format,
            user_cap=config.user_cap,
            finger_cap=config.finger_cap,
            punch_cap=config.capacity,
        )
        self.store.options.update(default_options(config))
        fill(self.store, users=config.users, records=config.records)
        self.door = Door(self.emit, held_open_s=config.held_open_s)
        self.sessions: list[Session] = []
        self.bad_frames = 0
        self.requests = 0
        self._pending = PendingFactors()
        self._enabled_again: asyncio.TimerHandle | None = None
        self.enabled = True
        self._enrolment: asyncio.Task[EnrolResult | None] | None = None
        self._enroller: Session | None = None
        self._ready_fingers: list[ReadyFinger] = []
        self._awaited_finger: asyncio.Future[ReadyFinger] | None = None
        self.power_request: Callable[[float | None], None] = lambda _seconds: None
        self.log_operation(OP_START)

    # -- who listens ---------------------------------------------------------------------------------------------------

    def emit(self, event: Event, body: bytes) -> None:
        """Send a real-time event to every client that registered for it."""
        self.notice({"event": event.name, "body": body.hex()})
        for session in self.sessions:
            if session.authorised and session.mask & event:
                session.push([event_packet(event, body)])

    def log_operation(self, code: int, *params: int) -> None:
        padded = (*params, 0, 0, 0, 0)
        self.store.operations.append(
            Operation(
                code=code, time=encode_time(self.clock.now()), params=(padded[0], padded[1], padded[2], padded[3])
            )
        )

    # -- at the reader -------------------------------------------------------------------------------------------------

    def present(
        self, user: User | None, verify: Verify, *, state: int | None = None, duress: bool = False
    ) -> Presented:
        """Somebody shows a credential that belongs to `user`, or to nobody the terminal knows."""
        at = self.clock.now()
        reason = self._refusal(user, verify, at)
        if user is None or reason:
            if reason != "device-disabled":
                self.emit(Event.VERIFY, verify_body(user.uid if user else None))
            self.notice({"event": "refused", "reason": reason, "user_id": user.user_id if user else None})
            return Presented(granted=False, reason=reason, user=user, at=at)
        if not self._pending.add(user.uid, verify, style=self._style(user), at=at):
            return Presented(granted=False, reason="another-factor-awaited", user=user, at=at)
        self.record(user, verify, at=at, state=state)
        self.door.unlock(self.lock_seconds)
        if duress:
            self.emit(Event.ALARM, duress_body(user.uid))
        self.notice({"event": "granted", "user_id": user.user_id, "verify": verify.name.lower()})
        return Presented(granted=True, reason="granted", user=user, at=at)

    def present_finger(self, person: str, finger: int, *, state: int | None = None) -> Presented:
        """A finger is laid on: it is recognised by its template, or by the slot of that person's uploaded one."""
        if self.enabled:
            self.emit(Event.FINGER, b"")
        template = self.store.owner_of(block_of(person, finger))
        user = self.store.by_id(person)
        if template is None and user is not None:
            template = self.store.templates.get((user.uid, finger))
        if template is None or not template.flag:
            return self.present(None, Verify.FINGER, state=state)
        return self.present(self.store.users[template.uid], Verify.FINGER, state=state, duress=template.flag == 3)

    def _refusal(self, user: User | None, verify: Verify, at: datetime) -> str:
        if not self.enabled:
            return "device-disabled"
        if user is None:
            return "unknown"
        if user.disabled:
            return "user-disabled"
        if not self._pending.useful(verify, style=self._style(user)):
            return "wrong-factor"
        own = user.tz if user.own_tz else ()
        if not self.store.zones.allow(own=own, group=user.group, at=at):
            return "outside-timezone"
        if self.log_is_full and self.full_log_refuses:
            return "log-full"
        return ""

    def _style(self, user: User) -> int:
        return self.store.verify_styles.get(user.uid, 0) or self.store.zones.group(user.group).verify

    def record(self, user: User, verify: Verify, *, at: datetime, state: int | None) -> None:
        """Append to the attendance log and tell who listens."""
        if self.log_is_full:
            self.store.drop_oldest_punches(1)
        punch = Punch(
            uid=user.uid,
            user_id=user.user_id,
            time=encode_time(at),
            verify=verify,
            state=self.config.punch_state if state is None else state,
        )
        self.store.add_punches([punch])
        length = self.config.live_format or (12 if self.config.user_format == 28 else 32)
        self.emit(Event.ATTLOG, attlog_body(punch, length))

    @property
    def log_is_full(self) -> bool:
        return self.faults.has("log-full") or self.store.punch_count >= self.store.punch_cap

    @property
    def full_log_refuses(self) -> bool:
        fault = self.faults.active.get("log-full")
        return fault is None or fault.argument != "wrap"

    @property
    def lock_seconds(self) -> float:
        """How long a grant frees the lock: the option LockOn, five seconds where a client wrote nonsense into it."""
        text = self.store.options.get("LockOn", "5")
        return float(text) if text.isdecimal() and 0 < int(text) <= 254 else 5.0

    def alarm(self, kind: Alarm) -> None:
        self.log_operation(OP_ALARM, kind)
        self.emit(Event.ALARM, bytes((kind, 0, 0, 0)))

    # -- in and out of service -----------------------------------------------------------------------------------------

    def set_enabled(self, enabled: bool, *, again_after_s: float = 0) -> None:
        """Reader and keypad on or off. The exit button is no part of this."""
        if self._enabled_again is not None:
            self._enabled_again.cancel()
            self._enabled_again = None
        self.enabled = enabled
        if not enabled and again_after_s:
            self._enabled_again = asyncio.get_running_loop().call_later(again_after_s, self.set_enabled, True)

    def power_off(self) -> None:
        """What dies with the power; memory and clock stay."""
        self.cancel_enrolment()
        self.door.power_off()
        self.set_enabled(True)
        self.sessions.clear()

    def jump(self, seconds: float) -> None:
        """Move the clock by hand."""
        self.clock.offset += timedelta(seconds=seconds)

    # -- enrolment -----------------------------------------------------------------------------------------------------

    def start_enrolment(self, session: Session, request: Request) -> None:
        self.cancel_enrolment()
        self._enroller = session
        enrolment = Enrolment(
            session,
            request,
            wait_for_finger=lambda: self._next_finger(request),
            known=self._belongs_to_another,
            store=self._enrolled,
            sample_s=self.config.sample_ms / 1000,
            timeout_s=self.config.enroll_timeout_s,
        )
        self.notice({"event": "enrolment", "user_id": request.user_id, "finger": request.finger})
        self._enrolment = asyncio.get_running_loop().create_task(enrolment.run())

    def cancel_enrolment(self) -> None:
        if self._enrolment is not None:
            self._enrolment.cancel()
            self._enrolment = None
        self._awaited_finger = None
        self._enroller = None

    def client_left(self, session: Session) -> None:
        """A connection ended: its events, its enrolment."""
        if session in self.sessions:
            self.sessions.remove(session)
        if session is self._enroller:
            self.cancel_enrolment()

    @property
    def enrolling(self) -> bool:
        return self._enrolment is not None and not self._enrolment.done()

    def finger_ready(self, ready: ReadyFinger) -> None:
        """Hold a finger out: to the enrolment that waits for one, or to the next."""
        if self._awaited_finger is not None and not self._awaited_finger.done():
            self._awaited_finger.set_result(ready)
        else:
            self._ready_fingers.append(ready)

    def _next_finger(self, request: Request) -> asyncio.Future[ReadyFinger]:
        future: asyncio.Future[ReadyFinger] = asyncio.get_running_loop().create_future()
        if self._ready_fingers:
            future.set_result(self._ready_fingers.pop(0))
        elif self.config.finger == "auto":
            future.set_result(ReadyFinger(person=request.user_id, finger=request.finger))
        else:
            self._awaited_finger = future
        return future

    def _belongs_to_another(self, block: bytes, user_id: str) -> bool:
        owner = self.store.owner_of(block)
        return owner is not None and self.store.users[owner.uid].user_id != user_id

    def _enrolled(self, request: Request, block: bytes) -> None:
        user = self.store.by_id(request.user_id)
        if user is None:
            user = self.store.put_user(User(uid=0, user_id=request.user_id))
            self.emit(Event.ENROLLUSER, user.uid.to_bytes(2, "little"))
        self.store.put_template(Template(uid=user.uid, finger=request.finger, flag=request.flag, block=block))
        self.log_operation(OP_ENROL, user.uid, 0, request.finger)
