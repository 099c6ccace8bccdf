"""The control lines of a terminal: words in, the methods of `ZkTerminal` called."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from accessctl_sim.control import Answer, BadLine, Verb
from accessctl_sim.zk.terminal import ZkTerminal


def _number(text: str) -> int:
    if not text.isdecimal():
        raise BadLine(f"{text!r} is no number")
    return int(text)


def _state(text: str) -> int | None:
    if text not in {"", "0", "1", "2", "3", "4", "5"}:
        raise BadLine(f"state {text!r}: 0 in, 1 out, … 5")
    return int(text) if text else None


def verbs(terminal: ZkTerminal) -> dict[str, Verb]:
    """Every line that a terminal understands. The README describes them."""

    def present(kind: str, who: str, extra: str = "", state: str = "") -> Answer:
        if kind == "card":
            return terminal.present_card(_number(who), state=_state(extra))
        if kind == "finger":
            return terminal.present_finger(who, _number(extra or "0"), state=_state(state))
        if kind == "code":
            return terminal.present_code(who, extra)
        raise BadLine(f"present card|finger|code, not {kind!r}")

    def add_user(user_id: str, *fields: str) -> Answer:
        given = dict(field.partition("=")[::2] for field in fields)
        unknown = set(given) - {"card", "name", "privilege", "password", "uid"}
        if unknown:
            raise BadLine(f"add-user knows card= name= privilege= password= uid=, not {', '.join(sorted(unknown))}")
        return terminal.add_user(
            user_id,
            card=_number(given.get("card", "0")),
            name=given.get("name", ""),
            privilege=_number(given.get("privilege", "0")),
            password=given.get("password", ""),
            uid=_number(given.get("uid", "0")),
        )

    def set_clock(to: str) -> Answer:
        if to == "right":
            return terminal.set_clock(None)
        if to[0] in "+-":
            return terminal.set_clock(float(to))
        return terminal.set_clock(datetime.fromisoformat(to))

    return {
        "present": present,
        "exit-button": terminal.exit_button,
        "open-door": terminal.open_door,
        "close-door": terminal.close_door,
        "force-door": terminal.force_door,
        "press-key": lambda key="1": terminal.press_key(_number(key)),
        "tamper": terminal.tamper,
        "misoperation": terminal.misoperation,
        "finger-ready": lambda person, outcome="ok", finger="0": terminal.finger_ready(
            person, outcome, _number(finger)
        ),
        "add-user": add_user,
        "delete-user": terminal.delete_user,
        "clear-log": terminal.clear_log,
        "set-clock": set_clock,
        "fault": terminal.fault,
        "clear-faults": terminal.clear_faults,
        "power-cycle": lambda seconds: terminal.power_cycle(float(seconds)),
        "power-off": terminal.power_off,
        "power-on": terminal.power_on,
        "state": terminal.state,
        "dump": terminal.dump,
        "notices": lambda: {"notices": list(terminal.notices)},
        "save": lambda path: terminal.save(Path(path)),
    }
