"""The wire under a session: one writer per client that sends answers and events in order, with the faults in force.

Over TCP each frame is a segment of its own (no Nagle), `frame_gap_ms` apart within an answer, because clients exist
that take one received segment for one message. Over UDP a frame is a datagram.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from accessctl_sim.zk.codes import Command, Event
from accessctl_sim.zk.commands.dispatch import answer
from accessctl_sim.zk.live import attlog_body, event_packet
from accessctl_sim.zk.machine import Machine
from accessctl_sim.zk.records import unpack_punch
from accessctl_sim.zk.session import Session
from accessctl_sim.zk.wire import BadFrame, Deframer, Packet, pack, tcp_frame, unpack

TCP_LARGEST = 65_536
UDP_LARGEST = 1024
COALESCE_S = 0.03
MOST_WAITING = 256
SLOW_PIECES = 256


class Link:
    """What TCP and UDP have in common."""

    def __init__(self, machine: Machine, *, largest: int) -> None:
        self.machine = machine
        self.session = Session(push=self.push, largest=largest)
        self._queue: asyncio.Queue[Sequence[Packet]] = asyncio.Queue()
        self._writer = asyncio.get_running_loop().create_task(self._write_loop())
        machine.sessions.append(self.session)

    def push(self, packets: Sequence[Packet]) -> None:
        """Queue packets; a client that stopped reading loses events once the queue is long."""
        if packets and self._queue.qsize() < MOST_WAITING:
            self._queue.put_nowait(packets)

    async def serve(self, payload: bytes) -> None:
        """Answer one request: verify it, wait as long as the terminal is slow, carry it out."""
        machine = self.machine
        try:
            request = unpack(payload)
        except BadFrame:
            machine.bad_frames += 1
            return
        if machine.faults.has("hang"):
            return
        slow_ms = machine.config.delay_ms + machine.faults.number("delay")
        if slow_ms:
            await asyncio.sleep(slow_ms / 1000)
        packets = answer(machine, self.session, request)
        if packets and machine.faults.strikes("extra-event"):
            packets.insert(0, self._stale_event())
        self.push(packets)

    def _stale_event(self) -> Packet:
        last = self.machine.store.last_record()
        if last is None:
            return event_packet(Event.FINGER, b"")
        return event_packet(Event.ATTLOG, attlog_body(unpack_punch(last), 32))

    async def close(self) -> None:
        """End the writer and forget the session."""
        self._writer.cancel()
        self.machine.client_left(self.session)
        await asyncio.gather(self._writer, return_exceptions=True)

    async def _write_loop(self) -> None:
        while True:
            burst = list(await self._queue.get())
            if self.machine.faults.has("coalesce"):
                burst += await self._more()
            await self._send(burst)
            if len(burst) > 1 and self.machine.config.frame_gap_ms:
                await asyncio.sleep(self.machine.config.frame_gap_ms / 1000)

    async def _more(self) -> list[Packet]:
        """Whatever else is ready within a moment, to go out in the same segment."""
        await asyncio.sleep(COALESCE_S)
        more: list[Packet] = []
        while not self._queue.empty():
            more += self._queue.get_nowait()
        return more

    async def _send(self, burst: list[Packet]) -> None:
        faults = self.machine.faults
        gap_s = 0.0 if faults.has("coalesce") else self.machine.config.frame_gap_ms / 1000
        glued = bytearray()
        for index, packet in enumerate(burst):
            sent = packet
            if faults.strikes("wrong-reply-id"):
                sent = Packet(
                    command=packet.command, session=packet.session, reply=(packet.reply + 1) & 0xFFFF, data=packet.data
                )
            payload = pack(sent, spoil_checksum=faults.strikes("wrong-checksum"))
            if faults.has("close-mid-data") and packet.command == Command.DATA:
                await self.write(bytes(glued))
                await self.cut(payload, int(faults.number("close-mid-data")) or len(payload) // 2)
                return
            copies = 0 if faults.strikes("drop") else 2 if faults.strikes("duplicate") else 1
            if index and gap_s:
                await asyncio.sleep(gap_s)
            for _ in range(copies):
                if faults.has("coalesce"):
                    glued += self.framed(payload)
                else:
                    await self.write(self.framed(payload))
        await self.write(bytes(glued))

    def framed(self, payload: bytes) -> bytes:
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        raise NotImplementedError

    async def cut(self, payload: bytes, sent_bytes: int) -> None:
        """Break off in the middle of a data frame."""
        raise NotImplementedError


class TcpLink(Link):
    """One TCP connection."""

    def __init__(self, machine: Machine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(machine, largest=TCP_LARGEST)
        self._reader = reader
        self._stream = writer
        self._deframer = Deframer()

    async def run(self) -> None:
        """Serve until the client or the power goes away."""
        try:
            while data := await self._reader.read(65_536):
                for payload in self._deframer.feed(data):
                    await self.serve(payload)
        except ConnectionError:
            return  # the client reset the connection, which ends it like any other goodbye
        finally:
            await self.close()
            self._stream.close()

    def abort(self) -> None:
        self._stream.transport.abort()

    def framed(self, payload: bytes) -> bytes:
        return tcp_frame(payload)

    async def write(self, data: bytes) -> None:
        if not data or self._stream.transport.is_closing():
            return
        size = int(self.machine.faults.number("split"))
        try:
            if not size:
                self._stream.write(data)
                await self._stream.drain()
                return
            for number, start in enumerate(range(0, len(data), size)):
                self._stream.write(data[start : start + size])
                await self._stream.drain()
                await asyncio.sleep(0.0005 if number < SLOW_PIECES else 0)
        except ConnectionError:
            return  # noticed by the reader, which ends the link

    async def cut(self, payload: bytes, sent_bytes: int) -> None:
        await self.write(self.framed(payload)[: 8 + sent_bytes])
        self._stream.close()


class UdpLink(Link):
    """One UDP peer: the address is the session's name."""

    def __init__(self, machine: Machine, transport: asyncio.DatagramTransport, peer: tuple[str, int]) -> None:
        super().__init__(machine, largest=UDP_LARGEST)
        self._transport = transport
        self._peer = peer
        self.silent = False

    def framed(self, payload: bytes) -> bytes:
        return payload

    async def write(self, data: bytes) -> None:
        if data and not self.silent and not self._transport.is_closing():
            self._transport.sendto(data, self._peer)

    async def cut(self, payload: bytes, sent_bytes: int) -> None:  # noqa: ARG002 - a datagram is not sent in halves
        self.session.end()
