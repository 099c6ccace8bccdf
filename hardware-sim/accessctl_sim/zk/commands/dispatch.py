"""From a request to the packets of its answer."""

from __future__ import annotations

import struct

from accessctl_sim.zk.codes import Ack, Command
from accessctl_sim.zk.commands import access, terminal, transfer, users
from accessctl_sim.zk.commands.handler import Handler
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.session import Answer, Session
from accessctl_sim.zk.wire import Packet

HANDLERS: dict[int, Handler] = {**terminal.HANDLERS, **users.HANDLERS, **transfer.HANDLERS, **access.HANDLERS}
_BEFORE_THE_KEY = frozenset({Command.CONNECT, Command.AUTH, Command.EXIT})


def answer(machine: Machine, session: Session, request: Packet) -> list[Packet]:
    """The answer's packets, all under the request's reply number. What a client acknowledges gets none."""
    machine.requests += 1
    if request.command == Ack.OK:
        session.acknowledged.set()
        return []
    return [
        Packet(
            command=frame.command,
            session=session_id(session, frame, request),
            reply=request.reply,
            data=frame.data,
        )
        for frame in _answers(machine, session, request)
    ]


def session_id(session: Session, frame: Answer, request: Packet) -> int:
    """The session field: what the frame abuses it for, else the session's id, else what the client sent."""
    if frame.session is not None:
        return frame.session
    return session.id or request.session


def _answers(machine: Machine, session: Session, request: Packet) -> list[Answer]:
    if not session.authorised and request.command not in _BEFORE_THE_KEY:
        return [Answer(command=Ack.UNAUTH)]
    handler = HANDLERS.get(request.command)
    if handler is None:
        return [Answer(command=Ack.UNKNOWN)]
    try:
        return handler(machine, session, request.data)
    except (ValueError, struct.error, IndexError):
        return [Answer(command=Ack.ERROR)]
