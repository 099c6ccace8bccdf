"""How the doors stand (`table=rtstate`): sensors of two bits a door, relays of one, a byte of alarms each.

Security PUSH 3.1.2: `sensor=00` hex, two bits a door from the lowest (0 no sensor, 1 closed, 2 open); `relay=00` one
bit a door; `alarm=` one byte a door, bit 1 forced, 2 tamper, 3 duress password, 4 duress finger, 5 held open, 6 mains,
7 battery, 8 reader tamper (counted from 1).
"""

from datetime import datetime

from accessctl.ports import PushDoorState, PushKind
from accessctl_drivers.push import times
from accessctl_drivers.push.fields import fields_of

MOST_DOORS = 64
_ALARMS = (
    (0x01, PushKind.FORCED),
    (0x02, PushKind.TAMPER),
    (0x04, PushKind.DURESS),
    (0x08, PushKind.DURESS),
    (0x10, PushKind.HELD_OPEN),
    (0x80, PushKind.TAMPER),
)
_OPEN = {1: False, 2: True}


def parse_rtstate(line: str) -> tuple[datetime | None, tuple[PushDoorState, ...]]:
    """The controller's time, and the state of as many doors as the line speaks of."""
    fields = fields_of(line)
    sensors, relays, alarms = (_bytes(fields.get(name, "")) for name in ("sensor", "relay", "alarm"))
    count = min(max(len(sensors) * 4, len(alarms)), MOST_DOORS)
    states = []
    for number in range(count):
        sensor = sensors[number // 4] >> (number % 4 * 2) & 3 if number // 4 < len(sensors) else 0
        relay = relays[number // 8] >> (number % 8) & 1 if number // 8 < len(relays) else 0
        alarm = alarms[number] if number < len(alarms) else 0
        states.append(
            PushDoorState(
                door=number + 1,
                open=_OPEN.get(sensor),
                unlocked=bool(relay),
                alarms=frozenset(kind for bit, kind in _ALARMS if alarm & bit),
            )
        )
    return times.parse(fields.get("time", "")), tuple(states)


def _bytes(text: str) -> bytes:
    """Hex digits, or nothing where they are none."""
    if len(text) > 2 * MOST_DOORS or len(text) % 2:
        return b""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
