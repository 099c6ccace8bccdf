"""Clients for the simulated devices: pyzk as others wrote it, and a bare socket that sees every frame."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from zk import ZK

from accessctl_sim.zk.terminal import ZkTerminal

DEADLINE_S = 10.0


def until(condition: Callable[[], object], *, deadline_s: float = DEADLINE_S) -> None:
    """Wait for the thing itself, and fail if it does not come."""
    ends = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.005)


@contextmanager
def pyzk(terminal: ZkTerminal, *, timeout: float = 5, password: int = 0, udp: bool = False) -> Iterator[ZK]:
    """A connected pyzk 0.9, its sockets closed whatever it forgets."""
    client = ZK("127.0.0.1", port=terminal.port, timeout=timeout, password=password, force_udp=udp, ommit_ping=True)
    client._ZK__sock.close()  # pyzk makes one that it never uses
    try:
        yield client.connect()
        if client.is_connect:
            client.disconnect()
    finally:
        client._ZK__sock.close()


@dataclass(frozen=True)
class Frame:
    command: int
    session: int
    reply: int
    data: bytes


class RawClient:
    """A bare client: its own checksum (the sum written out), its own framing, one frame at a time."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.session = 0
        self.reply = 0
        self._buffer = b""

    def connect(self) -> Frame:
        frame = self.ask(1000)
        self.session = frame.session
        return frame

    def ask(self, command: int, data: bytes = b"") -> Frame:
        self.send(command, data)
        return self.receive()

    def send(self, command: int, data: bytes = b"", *, reply: int | None = None, spoil: int = 0) -> None:
        body = struct.pack("<4H", command, 0, self.session, self.reply if reply is None else reply) + data
        total = sum(struct.unpack(f"<{(len(body) + 1) // 2}H", body.ljust(len(body) + len(body) % 2, b"\0")))
        while total > 0xFFFF:
            total = (total & 0xFFFF) + (total >> 16)
        payload = body[:2] + struct.pack("<H", (total ^ 0xFFFF) ^ spoil) + body[4:]
        self.socket.sendall(b"\x50\x50\x82\x7d" + struct.pack("<I", len(payload)) + payload)
        if reply is None:
            self.reply += 1

    def receive(self) -> Frame:
        payload = self.receive_payload()
        command, _, session, reply = struct.unpack_from("<4H", payload)
        return Frame(command, session, reply, payload[8:])

    def receive_payload(self) -> bytes:
        top = self._exactly(8)
        assert top[:4] == b"\x50\x50\x82\x7d"
        return self._exactly(struct.unpack("<I", top[4:])[0])

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            more = self.socket.recv(65_536)
            if not more:
                raise EOFError
            self._buffer += more
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def event(self) -> tuple[int, bytes]:
        """The next real-time event, acknowledged."""
        frame = self.receive()
        assert (frame.command, frame.reply) == (500, 0)
        self.send(2000, reply=0)
        return frame.session, frame.data

    def read_all(self, command: int, fct: int) -> bytes:
        """A bulk read in the parts that pyzk asks for."""
        first = self.ask(1503, struct.pack("<bhii", 1, command, fct, 0))
        if first.command == 1501:
            return first.data
        size = struct.unpack_from("<I", first.data, 1)[0]
        data = b""
        for start in range(0, size, 0xFFC0):
            self.send(1504, struct.pack("<ii", start, min(0xFFC0, size - start)))
            assert self.receive().command == 1500
            while (frame := self.receive()).command == 1501:
                data += frame.data
            assert frame.command == 2000
        assert self.ask(1502).command == 2000
        return data

    def close(self) -> None:
        self.socket.close()


@contextmanager
def raw(terminal: ZkTerminal, *, connect: bool = True) -> Iterator[RawClient]:
    client = RawClient(terminal.port)
    try:
        if connect:
            client.connect()
        yield client
    finally:
        client.close()
