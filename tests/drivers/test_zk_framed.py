"""The socket that pyzk gets, and the channel to the child, against peers that we script byte by byte."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from accessctl.ports import DeviceMisbehaved, DeviceRefused, DeviceUnreachable
from accessctl_drivers.links import NetworkAddress
from accessctl_drivers.zkteco.channel import (
    MAX_HEAD,
    Channel,
    ChannelBroken,
    ChannelClosed,
    ChannelTimeout,
    pack_message,
)
from accessctl_drivers.zkteco.framed import FramedSocket
from accessctl_drivers.zkteco.frames import Command, encode, with_top
from accessctl_drivers.zkteco.terminal import ZkTerminalDriver

Peer = Callable[[socket.socket], None]


@contextmanager
def peer(script: Peer) -> Iterator[int]:
    """A listener that gives its first connection to `script`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        with line:
            line.settimeout(10)
            try:
                script(line)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(10)


@contextmanager
def asking(script: Peer, *, reply: int = 5) -> Iterator[FramedSocket]:
    """A framed socket that has just asked with this reply id."""
    with peer(script) as port:
        framed = FramedSocket(NetworkAddress(transport="tcp", host="127.0.0.1", port=port))
        framed.allow(2.0, 1.0)
        framed.connect_ex(None)
        framed.send(with_top(encode(Command.GET_FREE_SIZES, 1, reply)))
        try:
            yield framed
        finally:
            framed.close()


def answer(reply: int = 5, data: bytes = b"", command: int = Command.ACK_OK) -> bytes:
    return with_top(encode(command, 1, reply, data))


def event(flag: int, data: bytes) -> bytes:
    return with_top(encode(Command.REG_EVENT, flag, 0, data))


def sends(*pieces: bytes, then_reads: int = 16) -> Peer:
    def script(line: socket.socket) -> None:
        line.recv(65536)
        for piece in pieces:
            line.sendall(piece)
        while then_reads and line.recv(65536):
            pass

    return script


def test_one_frame_a_recv_whatever_is_asked_for() -> None:
    with asking(sends(answer(data=b"1" * 3000) + answer(data=b"2"))) as framed:
        assert framed.recv(16) == answer(data=b"1" * 3000)
        assert framed.recv(1) == answer(data=b"2")


def test_events_go_aside_and_are_acknowledged_after_decoding() -> None:
    acknowledged: list[bytes] = []

    def script(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(event(1, b"?") + event(128, b"\xff\xff\xff\xff\x01") + answer())
        acknowledged.append(line.recv(16, socket.MSG_WAITALL))
        acknowledged.append(line.recv(16, socket.MSG_WAITALL))

    with asking(script) as framed:
        assert framed.recv(16) == answer()
        assert [(e.flag, e.data) for e in framed.events] == [(1, b"?"), (128, b"\xff\xff\xff\xff\x01")]
    assert acknowledged == [with_top(encode(Command.ACK_OK, 0, 0))] * 2


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", DeviceUnreachable),
        (answer()[:5], DeviceUnreachable),
        (answer()[:-1], DeviceUnreachable),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", DeviceMisbehaved),
        (answer(reply=6), DeviceMisbehaved),
        (answer()[:-1] + b"\x77", DeviceMisbehaved),
        (b"\x50\x50\x82\x7d\xff\xff\xff\xff", DeviceMisbehaved),
        (b"\x50\x50\x82\x7d\x07\0\0\0" + bytes(7), DeviceMisbehaved),
    ],
    ids=["nothing", "top", "cut", "http", "reply", "checksum", "huge", "short"],
)
def test_what_is_no_answer(sent: bytes, error: type[Exception]) -> None:
    with asking(sends(sent, then_reads=0)) as framed:
        with pytest.raises(error):
            framed.recv(16)
        with pytest.raises(error):
            framed.recv(16)
        assert isinstance(framed.failure, error)


def test_silence_ends_at_the_deadline() -> None:
    with asking(sends()) as framed:
        framed.allow(60.0, 0.2)
        started = time.monotonic()
        with pytest.raises(DeviceUnreachable, match="silent"):
            framed.recv(16)
        assert time.monotonic() - started < 15


def test_dripping_bytes_do_not_prolong_the_deadline() -> None:
    def drip(line: socket.socket) -> None:
        line.recv(65536)
        for byte in answer(data=bytes(2000)):
            line.sendall(bytes([byte]))
            time.sleep(0.01)

    with asking(drip) as framed:
        framed.allow(5.0, 0.3)
        started = time.monotonic()
        with pytest.raises(DeviceUnreachable):
            framed.recv(16)
        assert time.monotonic() - started < 15


def test_a_flood_of_events_does_not_prolong_the_deadline() -> None:
    def flood(line: socket.socket) -> None:
        line.recv(65536)
        while True:
            line.sendall(event(16, b"") * 50)

    with asking(flood) as framed:
        framed.allow(5.0, 0.5)
        started = time.monotonic()
        with pytest.raises(DeviceUnreachable):
            framed.recv(16)
        assert time.monotonic() - started < 15
        assert len(framed.events) <= 4096


def terminal_that(answers: dict[int, Callable[[int], bytes]]) -> Peer:
    """Answers ACK_OK to everything but what `answers` says, by command; each gets the reply id."""

    def script(line: socket.socket) -> None:
        held = b""
        while True:
            received = line.recv(65536)
            if not received:
                return
            held += received
            while len(held) >= 8 and len(held) >= 8 + int.from_bytes(held[4:8], "little"):
                length = int.from_bytes(held[4:8], "little")
                packet, held = held[8 : 8 + length], held[8 + length :]
                command, reply = int.from_bytes(packet[:2], "little"), int.from_bytes(packet[6:8], "little")
                line.sendall(answers.get(command, answer)(reply))

    return script


def sizes_answer(users: int, records: int) -> Callable[[int], bytes]:
    fields = [0] * 20
    fields[4], fields[8] = users, records
    return lambda reply: answer(reply, b"".join(field.to_bytes(4, "little") for field in fields))


def stat(size: int) -> Callable[[int], bytes]:
    return lambda reply: answer(reply, b"\0" + size.to_bytes(4, "little") * 2 + bytes(4))


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({Command.GET_FREE_SIZES: lambda r: answer(r, b"short")}, DeviceMisbehaved),
        ({Command.PREPARE_BUFFER: lambda r: answer(r, b"\0\1")}, DeviceMisbehaved),
        ({Command.PREPARE_BUFFER: stat(2**32 - 1)}, DeviceMisbehaved),
        ({Command.PREPARE_BUFFER: stat(2000)}, DeviceMisbehaved),  # then ACK_OK to the READ_BUFFER
        (
            {
                Command.PREPARE_BUFFER: stat(2000),
                Command.READ_BUFFER: lambda r: answer(r, b"\xff" * 8, Command.PREPARE_DATA),
            },
            DeviceMisbehaved,
        ),
        (
            {
                Command.PREPARE_BUFFER: stat(2000),
                Command.READ_BUFFER: lambda r: (
                    answer(r, (2000).to_bytes(4, "little") * 2, Command.PREPARE_DATA)
                    + answer(r, bytes(2001), Command.DATA)
                    + answer(r)
                ),
            },
            DeviceMisbehaved,
        ),
        (
            {
                Command.PREPARE_BUFFER: stat(2000),
                Command.READ_BUFFER: lambda r: (
                    answer(r, (2000).to_bytes(4, "little") * 2, Command.PREPARE_DATA)
                    + answer(r, bytes(1999), Command.DATA)
                    + answer(r)
                ),
            },
            DeviceMisbehaved,
        ),
        ({Command.PREPARE_BUFFER: lambda r: answer(r, b"\x48\0\0\0" + bytes(72), Command.DATA)}, DeviceMisbehaved),
        ({Command.PREPARE_BUFFER: lambda r: answer(r, b"", 2001)}, DeviceRefused),
        ({Command.PREPARE_BUFFER: lambda r: answer(r, b"", 2003)}, DeviceUnreachable),
        ({Command.PREPARE_BUFFER: lambda r: answer(r, b"", 31337)}, DeviceMisbehaved),
        ({Command.CONNECT: lambda r: answer(r, b"", 2001)}, DeviceRefused),
        ({Command.CONNECT: lambda r: answer(r, b"", 31337)}, DeviceRefused),
    ],
)
def test_terminals_that_lie(answers: dict[int, Callable[[int], bytes]], error: type[Exception]) -> None:
    """A whole session, child and all: lengths, counts and answers that do not add up are not believed."""
    told: dict[int, Callable[[int], bytes]] = {Command.GET_FREE_SIZES: sizes_answer(1, 1), **answers}
    with (
        peer(terminal_that(told)) as port,
        pytest.raises(error),
        ZkTerminalDriver(f"tcp://127.0.0.1:{port}", deadline=2.0).connect() as terminal,
    ):
        terminal.users()


def test_hostile_texts_are_bounded_and_printable() -> None:
    hostile = b"=" + b"$(touch x);\x1b[31m\x00ignored" + bytes(100)
    told: dict[int, Callable[[int], bytes]] = {
        Command.OPTIONS_RRQ: lambda r: answer(r, b"~SerialNumber=" + b"A\x07B\n" + b"C" * 500),
        Command.GET_VERSION: lambda r: answer(r, hostile),
        Command.GET_FREE_SIZES: sizes_answer(0, 0),
    }
    with peer(terminal_that(told)) as port, ZkTerminalDriver(f"tcp://127.0.0.1:{port}").connect() as terminal:
        info = terminal.info()
    assert info.serial == "AB" + "C" * 62
    assert info.firmware == "$(touch x);[31m"


class TestChannel:
    @staticmethod
    def pair() -> tuple[Channel, int]:
        """A channel whose input we write raw."""
        reads, raw = os.pipe()
        return Channel(reads, os.open(os.devnull, os.O_WRONLY)), raw

    def test_round_trip_of_large_messages(self) -> None:
        left, right = socket.socketpair()
        with left, right:
            here, there = Channel(left.fileno(), left.fileno()), Channel(right.fileno(), right.fileno())
            sender = threading.Thread(target=here.send, args=({"verb": "x"}, bytes(5_000_000)))
            sender.start()
            assert there.receive(until=time.monotonic() + 10) == ({"verb": "x"}, bytes(5_000_000))
            sender.join()

    @pytest.mark.parametrize(
        "raw",
        [
            b"\xff" * 8,
            b"\3\0\0\0\0\0\0\0",
            b"\x08\0\0\0\x20\0\0\0",
            (8 + 2 * MAX_HEAD).to_bytes(4, "little") + b"\xff\xff\xff\0",
        ],
    )
    def test_what_is_no_message(self, raw: bytes) -> None:
        channel, write = self.pair()
        os.write(write, raw)
        with pytest.raises(ChannelBroken):
            channel.receive(until=time.monotonic() + 1)
        os.close(write)

    def test_end_and_silence(self) -> None:
        channel, write = self.pair()
        os.write(write, pack_message({}, b"abc")[:-1])
        with pytest.raises(ChannelTimeout):
            channel.receive(until=time.monotonic() + 0.05)
        os.close(write)
        with pytest.raises(ChannelClosed):
            channel.receive()

    def test_bounds_of_what_goes_out(self) -> None:
        with pytest.raises(ChannelBroken):
            pack_message({"x": "y" * MAX_HEAD})
