"""Real-time events of a terminal: the flag travels in the frame's session field, the payload says who and when.

* ATTLOG (1), the terminal opened. Lengths seen: 10 `uid u16, verify, state, time[6]` and 14 (+4); 12 `user id u32,
  verify, state, time[6]`; 32 `user id[24], verify, state, time[6]` and 36, 37, 52 with more behind it.
* VERIFY (128): `u32 slot, 01`; ffffffff = nobody was recognised. Firmware may send it before the ATTLOG of somebody who
  is let in, too.
* ALARM (512): 4 bytes, the first 0x3A misoperation, 0x37 tamper, 0x35 exit button; 8 bytes, the first 0x54, the door
  closes; 12 bytes `ffffffff, u16 0x20 duress or 0x22 passback, u16 slot, u32`. The vendor's SDK manual (OnDoor) adds 1
  opened without a credential, 4 left open, 5 closed; no capture of those three is public.
* UNLOCK (32), BUTTON (16): the payload is not documented; the flag says it.

Source: zk-protocol realtime.md and pyzk's live_capture lengths. An event that cannot be read is `OTHER` with its bytes:
live events are a hint, and a hint must not break the session.

A VERIFY that names somebody is either half of a grant or a refusal. `LiveFeed` holds it until the ATTLOG comes or the
time for it is over: only then it is a refusal. Time is an argument.
"""

from dataclasses import replace
from struct import Struct

from accessctl.ports import LiveEvent, LiveKind
from accessctl_drivers.zkteco.dates import unpack_clock_bytes

ATTLOG, FINGER, ENROLLUSER, ENROLLFINGER = 1, 2, 4, 8
BUTTON, UNLOCK, VERIFY, FPFTR, ALARM = 16, 32, 128, 256, 512
LISTENED = ATTLOG | BUTTON | UNLOCK | VERIFY | ALARM
ENROLMENT_FLAGS = frozenset({FINGER, ENROLLUSER, ENROLLFINGER, FPFTR})
NOBODY = 0xFFFFFFFF
GRANT_FOLLOWS_SECONDS = 0.4  # the two leave a terminal together; who is refused must be on the screen within a second

_NUMBER_HEAD = Struct("<IBB6s")
_SLOT_HEAD = Struct("<HBB6s")
_TEXT_HEAD = Struct("<24sBB6s")
_SLOT = Struct("<I")
_LONG_ALARM = Struct("<IHHI")
_ALARMS = {
    0x01: LiveKind.FORCED,
    0x04: LiveKind.DOOR_OPENED,
    0x05: LiveKind.DOOR_CLOSED,
    0x35: LiveKind.EXIT_BUTTON,
    0x37: LiveKind.TAMPER,
    0x54: LiveKind.DOOR_CLOSED,
}
_LONG_ALARMS = {0x20: LiveKind.DURESS, 0x22: LiveKind.PASSBACK}


def _attlog(data: bytes) -> LiveEvent:
    if len(data) in {10, 14}:
        uid, verify, _state, clock = _SLOT_HEAD.unpack_from(data)
        return LiveEvent(kind=LiveKind.GRANTED, uid=uid, at=unpack_clock_bytes(clock), verify=verify, raw=data)
    if len(data) == 12:
        number, verify, _state, clock = _NUMBER_HEAD.unpack(data)
        at = unpack_clock_bytes(clock)
        return LiveEvent(kind=LiveKind.GRANTED, user_id=str(number), at=at, verify=verify, raw=data)
    if len(data) < _TEXT_HEAD.size:
        return LiveEvent(kind=LiveKind.OTHER, raw=data)
    field, verify, _state, clock = _TEXT_HEAD.unpack_from(data)
    user_id = field.partition(b"\0")[0].decode("ascii", "replace")
    return LiveEvent(kind=LiveKind.GRANTED, user_id=user_id, at=unpack_clock_bytes(clock), verify=verify, raw=data)


def _alarm(data: bytes) -> LiveEvent:
    if len(data) == _LONG_ALARM.size:
        _fixed, cause, uid, _match = _LONG_ALARM.unpack(data)
        kind = _LONG_ALARMS.get(cause, LiveKind.OTHER)
        return LiveEvent(kind=kind, uid=uid if kind is not LiveKind.OTHER else None, raw=data)
    return LiveEvent(kind=_ALARMS.get(data[0], LiveKind.OTHER) if data else LiveKind.OTHER, raw=data)


def decode_event(flag: int, data: bytes) -> LiveEvent:
    """One event from the session field and the payload of a REG_EVENT frame. Never raises."""
    match flag:
        case 1:
            return _attlog(data)
        case 128 if len(data) >= _SLOT.size:
            (uid,) = _SLOT.unpack_from(data)
            return LiveEvent(kind=LiveKind.REFUSED, uid=None if uid == NOBODY else uid, raw=data)
        case 32:
            return LiveEvent(kind=LiveKind.UNLOCKED, raw=data)
        case 16:
            return LiveEvent(kind=LiveKind.EXIT_BUTTON, raw=data)
        case 512:
            return _alarm(data)
        case _:
            return LiveEvent(kind=LiveKind.OTHER, raw=data)


class LiveFeed:
    """Turns single events into what happened: the VERIFY of somebody who is let in a moment later is not a refusal."""

    def __init__(self) -> None:
        self._held: LiveEvent | None = None
        self._until = 0.0

    @property
    def due(self) -> float | None:
        """When a held VERIFY becomes a refusal; None while nothing is held."""
        return self._until if self._held is not None else None

    def feed(self, event: LiveEvent, now: float) -> list[LiveEvent]:
        """What is certain after this event."""
        done = self.tick(now)
        if event.kind is LiveKind.REFUSED and event.uid is not None:
            if self._held is not None:
                done.append(self._held)
            self._held, self._until = event, now + GRANT_FOLLOWS_SECONDS
            return done
        if event.kind is LiveKind.GRANTED and self._held is not None:
            uid, self._held = self._held.uid, None
            event = replace(event, uid=uid if event.uid is None else event.uid)
        return [*done, event]

    def tick(self, now: float) -> list[LiveEvent]:
        """What is certain because time went by."""
        if self._held is None or now < self._until:
            return []
        refused, self._held = self._held, None
        return [refused]
