"""Event numbers and return codes of Security PUSH (appendix 2; section on commands)."""

from __future__ import annotations

from enum import IntEnum


class Happening(IntEnum):
    """What a controller reports in `event=`."""

    GRANTED = 0
    ALARM_CANCELLED = 7
    REMOTE_OPEN = 8
    REMOTE_CLOSE = 9
    REMOTE_AUX = 12
    NOT_IN_TIME = 22
    NO_RIGHT = 23
    UNKNOWN_CARD = 27
    HELD_OPEN = 28
    EXPIRED = 29
    UNKNOWN_FINGER = 34
    REMOTE_REFUSED = 44
    REMOTE_TIMEOUT = 45
    LOCKED_DOWN = 63
    TAMPER = 100
    DURESS_CODE = 101
    FORCED = 102
    DURESS = 103
    SERVER_LOST = 105
    DOOR_OPENED = 200
    DOOR_CLOSED = 201
    EXIT_BUTTON = 202
    REMOTE_NORMAL_OPEN = 205
    DEVICE_START = 206
    SERVER_BACK = 214
    REMOTE_GRANTED = 222
    REMOTE_ASKED = 223
    REMOTE_LOCK = 233
    REMOTE_UNLOCK = 234
    FIRE_OVER = 4000
    FIRE = 6000


class Return(IntEnum):
    """What a command comes to; more than 0 is a count."""

    DONE = 0
    UNSUPPORTED = -1
    BAD_DATA = -10
    BAD_PARAMETER = -11
    UNKNOWN_COMMAND = -13
    NO_SPACE = -18
    UNKNOWN_TABLE = -629


class Verified(IntEnum):
    """Appendix 3: how somebody verified; OTHER for what no person did."""

    FINGER = 1
    CARD = 4
    OTHER = 200


class AlarmBit(IntEnum):
    """One byte of alarms per door in rtstate."""

    FORCED = 0x01
    TAMPER = 0x02
    DURESS_CODE = 0x04
    DURESS_FINGER = 0x08
    HELD_OPEN = 0x10
