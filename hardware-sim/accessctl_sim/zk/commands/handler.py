"""The shape of a command handler, and the two answers that most of them give."""

from __future__ import annotations

from collections.abc import Callable

from accessctl_sim.zk.codes import Ack
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.session import Answer, Session

Handler = Callable[[Machine, Session, bytes], list[Answer]]


def ok(data: bytes = b"") -> list[Answer]:
    return [Answer(data=data)]


def refused(code: int = Ack.ERROR) -> list[Answer]:
    return [Answer(command=code)]


def acknowledge(_machine: Machine, _session: Session, _data: bytes) -> list[Answer]:
    """For commands whose effect cannot be seen from outside: voices, screen texts, refreshes."""
    return ok()
