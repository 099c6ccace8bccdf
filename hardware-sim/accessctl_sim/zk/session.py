"""What a terminal remembers of one client: session id, whether it proved the key, its buffers, what it listens to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accessctl_sim.zk.codes import Ack, Event
from accessctl_sim.zk.wire import Packet


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One frame of an answer. `session` stands in for the client's session id where the protocol abuses that field."""

    command: int = Ack.OK
    data: bytes = b""
    session: int | None = None


class Session:
    """One client. `push` puts packets on its wire in order; `largest` is how many data bytes a frame of it takes."""

    def __init__(self, *, push: Callable[[Sequence[Packet]], None], largest: int) -> None:
        self.push = push
        self.largest = largest
        self.id = 0
        self.connected = False
        self.authorised = False
        self.mask = Event(0)
        self.readable = b""
        self.upload = bytearray()
        self.upload_size = 0
        self.acknowledged = asyncio.Event()

    def begin(self, session_id: int, *, authorised: bool) -> None:
        """CMD_CONNECT: a new session, whatever was before."""
        self.end()
        self.id = session_id
        self.connected = True
        self.authorised = authorised

    def end(self) -> None:
        self.id = 0
        self.connected = self.authorised = False
        self.mask = Event(0)
        self.free()

    def free(self) -> None:
        """CMD_FREE_DATA: both buffers."""
        self.readable = b""
        self.upload.clear()
        self.upload_size = 0
