"""Messages between the service and the child process that runs pyzk: bounded, length-prefixed, no pickle.

`u32 length of what follows | u32 length of the head | head, a JSON object | blob`. The head says what is asked or how
it went, the blob carries what a terminal sent or shall get. Reading waits in `poll` until a moment of the monotonic
clock.
"""

import json
import os
import select
import time
from struct import Struct
from typing import Any

from accessctl_drivers.zkteco.datasets import MAX_DATASET

MAX_HEAD = 1 << 16
MAX_MESSAGE = MAX_DATASET + MAX_HEAD
EVENT = Struct("<HHd")  # a real-time event in a blob: flag, length of the payload behind it, moment (monotonic)
_LENGTHS = Struct("<II")
_PIECE = 1 << 20

Head = dict[str, Any]


class ChannelClosed(Exception):
    """The other side went away."""


class ChannelBroken(Exception):
    """The other side sent what is no message: a bug of ours, not of a terminal."""


class ChannelTimeout(Exception):
    """The moment came before the message was through."""


def pack_message(head: Head, blob: bytes = b"") -> bytes:
    """One message; ChannelBroken where it is over the bounds."""
    text = json.dumps(head, separators=(",", ":")).encode()
    if len(text) > MAX_HEAD or len(blob) > MAX_DATASET:
        raise ChannelBroken(f"message of {len(text)} + {len(blob)} bytes is over the bounds")
    return _LENGTHS.pack(4 + len(text) + len(blob), len(text)) + text + blob


class Channel:
    """One end: two file descriptors, switched to non-blocking. `until` is monotonic; None waits for ever."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        os.set_blocking(reads, False)
        os.set_blocking(writes, False)

    def send(self, head: Head, blob: bytes = b"", *, until: float | None = None) -> None:
        """All of one message."""
        left = memoryview(pack_message(head, blob))
        while left:
            _wait(self._writes, select.POLLOUT, until)
            try:
                left = left[os.write(self._writes, left[:_PIECE]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as closed:
                raise ChannelClosed from closed

    def receive(self, *, until: float | None = None) -> tuple[Head, bytes]:
        """The next message."""
        length, head_length = _LENGTHS.unpack(self._exactly(_LENGTHS.size, until))
        if not 4 <= length <= MAX_MESSAGE or head_length > min(MAX_HEAD, length - 4):
            raise ChannelBroken(f"message of {length} bytes with a head of {head_length}")
        head = json.loads(self._exactly(head_length, until))
        return head, self._exactly(length - 4 - head_length, until)

    def _exactly(self, size: int, until: float | None) -> bytes:
        got = bytearray()
        while len(got) < size:
            _wait(self._reads, select.POLLIN, until)
            try:
                piece = os.read(self._reads, min(_PIECE, size - len(got)))
            except BlockingIOError:
                continue
            if not piece:
                raise ChannelClosed
            got += piece
        return bytes(got)


def _wait(descriptor: int, event: int, until: float | None) -> None:
    waiter = select.poll()
    waiter.register(descriptor, event)
    patience = None if until is None else max(0.0, until - time.monotonic()) * 1000
    if not waiter.poll(patience):
        raise ChannelTimeout
