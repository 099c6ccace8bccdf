"""The control lines of a controller: words in, the methods of `PushController` called."""

from __future__ import annotations

from datetime import datetime

from accessctl_sim.control import Answer, BadLine, Verb
from accessctl_sim.push.controller import PushController


def _number(text: str) -> int:
    if not text.isdecimal():
        raise BadLine(f"{text!r} is no number")
    return int(text)


def verbs(controller: PushController) -> dict[str, Verb]:
    """Every line that a controller understands. The README describes them."""

    def present(kind: str, who: str, *rest: str) -> Answer:
        if kind == "card":
            duress = rest[-1:] == ("duress",)
            words = rest[:-1] if duress else rest
            door, direction = [*words, *("1", "in")[len(words) :]][:2]
            return controller.present_card(_number(who), _number(door), direction, duress=duress)
        if kind == "finger":
            finger, door, direction = [*rest, *("0", "1", "in")[len(rest) :]][:3]
            return controller.present_finger(who, _number(finger), _number(door), direction)
        raise BadLine(f"present card|finger, not {kind!r}")

    def fire(to: str) -> Answer:
        if to not in {"on", "off"}:
            raise BadLine("fire on|off")
        return controller.fire(on=to == "on")

    def set_clock(to: str) -> Answer:
        if to == "right":
            return controller.set_clock(None)
        return controller.set_clock(float(to) if to[0] in "+-" else datetime.fromisoformat(to))

    return {
        "present": present,
        "exit-button": lambda door="1": controller.exit_button(_number(door)),
        "open-door": lambda door="1": controller.open_door(_number(door)),
        "close-door": lambda door="1": controller.close_door(_number(door)),
        "force-door": lambda door="1": controller.force_door(_number(door)),
        "fire": fire,
        "tamper": lambda door="1": controller.tamper(_number(door)),
        "add-user": lambda pin, card="0", doors="0": controller.add_user(pin, card=_number(card), doors=_number(doors)),
        "delete-user": controller.delete_user,
        "clear-log": controller.clear_log,
        "set-clock": set_clock,
        "fault": controller.fault,
        "clear-faults": controller.clear_faults,
        "power-cycle": lambda seconds: controller.power_cycle(float(seconds)),
        "power-off": controller.power_off,
        "power-on": controller.power_on,
        "state": controller.state,
        "dump": controller.dump,
    }
