"""A TCP proxy that stops in the middle: forwards so many bytes of the device's, then closes, resets or falls silent."""

import selectors
import socket
import struct
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class StoppingProxy:
    """Stands before a device at `port`; `how` is `close`, `reset` or `silence`. Counts connections and bytes."""

    def __init__(self, target: int, *, after: int | None = None, how: str = "close") -> None:
        self._target = target
        self._left = after
        self._how = how
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector = selectors.DefaultSelector()
        self._pairs: dict[socket.socket, tuple[socket.socket, bool]] = {}
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.bytes_from_device = 0

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wake.send(b"x")
        self._thread.join(5)
        for line in [*self._pairs, self._listener, self._wake, self._woken]:
            line.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                line = key.fileobj
                assert isinstance(line, socket.socket)
                if line is self._woken:
                    return
                if line is self._listener:
                    self._accept()
                elif line in self._pairs:
                    self._forward(line)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        self.connections += 1
        device = socket.create_connection(("127.0.0.1", self._target))
        for line in (client, device):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(line, selectors.EVENT_READ)
        self._pairs[client] = device, False
        self._pairs[device] = client, True

    def _forward(self, line: socket.socket) -> None:
        other, from_device = self._pairs[line]
        try:
            data = line.recv(65536)
        except OSError:
            data = b""
        if data and from_device and self._left is not None:
            data, stop = data[: self._left], len(data) >= self._left
            self._left -= len(data)
        else:
            stop = not data
        try:
            other.sendall(data)
        except OSError:
            stop = True
        if from_device:
            self.bytes_from_device += len(data)
        if stop and not (self._left == 0 and self._how == "silence" and from_device):
            self._drop(line, other)
        elif stop:
            self._selector.unregister(line)

    def _drop(self, *lines: socket.socket) -> None:
        for line in lines:
            if self._pairs.pop(line, None) is None:
                continue
            with suppress(KeyError):
                self._selector.unregister(line)
            if self._how == "reset":
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
