"""The operands of CONTROL DEVICE, hexadecimal without separators: what, which door, what about it, how long."""

from __future__ import annotations

from accessctl_sim.push.codes import Happening, Return
from accessctl_sim.push.doors import Door
from accessctl_sim.push.machine import Controller


def control_device(controller: Controller, operand: str) -> int:
    """`AABBCCDD[EE]`: what, which door (00 all), what about it, how long."""
    try:
        what, number, kind, seconds = bytes.fromhex(operand)[:4]
    except ValueError:
        return Return.BAD_PARAMETER
    if not any((what, number, kind, seconds)):
        return Return.UNKNOWN_COMMAND
    if what == 3:
        return Return.DONE
    if what == 7:  # emergency: all doors open, or all closed
        what, number, kind, seconds = 1, 0, 1, 0xFF if number == 1 else 0
    if what not in {1, 2, 4, 6}:
        return Return.UNKNOWN_COMMAND
    doors = [door for door in controller.doors if number in {0, door.number}]
    for door in doors:
        _control_door(controller, door, what, kind, seconds)
    return Return.DONE if doors else Return.BAD_PARAMETER


def _control_door(controller: Controller, door: Door, what: int, kind: int, seconds: int) -> None:
    if what == 1:
        _open(controller, door.number, kind, seconds)
    elif what == 2:
        door.cancel_alarm()
    elif what == 4:
        door.latch(is_open=kind == 1)
    else:
        door.locked_down = kind == 1
        controller.report(Happening.REMOTE_LOCK if kind == 1 else Happening.REMOTE_UNLOCK, door.number)


def _open(controller: Controller, number: int, kind: int, seconds: int) -> None:
    door = controller.doors[number - 1]
    if kind == 2:
        controller.report(Happening.REMOTE_AUX, number)
    elif seconds == 0xFF:
        door.latch(is_open=True)
        controller.report(Happening.REMOTE_NORMAL_OPEN, number)
    elif seconds == 0:
        door.latch(is_open=False)
        controller.report(Happening.REMOTE_CLOSE, number)
    else:
        door.unlock(seconds)
        controller.report(Happening.REMOTE_OPEN, number)
