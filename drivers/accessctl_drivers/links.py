"""Addresses of devices, and the lines to them: the only place where a socket or a serial port is opened.

An address comes from the site's file: `tcp://host:port`, `udp://host:port`, `serial:///dev/serial/by-id/…`. Its length
and its characters are bounded, and what does not parse is a ValueError that says what was expected.
"""

import re
import select
import socket
import termios
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self
from urllib.parse import urlsplit

import serial

MAX_ADDRESS = 255
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\Z|[0-9A-Fa-f:.]+\Z")
_KEEPALIVE_IDLE, _KEEPALIVE_INTERVAL, _KEEPALIVE_PROBES = 10, 5, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAddress:
    """A device on the network; `transport` is `tcp` or `udp`."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialAddress:
    """A device on a serial line."""

    path: str

    def __str__(self) -> str:
        return f"serial://{self.path}"


def parse_address(text: str) -> NetworkAddress | SerialAddress:
    """The address that a site's file names; ValueError where it is none."""
    if len(text) > MAX_ADDRESS or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"an address has at most {MAX_ADDRESS} plain characters without blanks")
    parts = urlsplit(text)
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise ValueError(f"{text!r}: an address has neither user nor query")
    if parts.scheme == "serial":
        path = PurePosixPath(parts.path)
        if parts.netloc or not path.is_absolute() or ".." in path.parts or parts.path != str(path):
            raise ValueError(f"{text!r}: write serial:///dev/… with the whole path")
        return SerialAddress(path=parts.path)
    if parts.scheme not in {"tcp", "udp"}:
        raise ValueError(f"{text!r}: an address begins with tcp://, udp:// or serial://")
    if parts.path or parts.hostname is None or not _HOST.match(parts.hostname):
        raise ValueError(f"{text!r}: write {parts.scheme}://host:port")
    if parts.port is None or parts.port == 0:
        raise ValueError(f"{text!r}: the port is missing")
    return NetworkAddress(transport=parts.scheme, host=parts.hostname, port=parts.port)


def open_network(address: NetworkAddress, seconds: float) -> socket.socket:
    """A connected socket, made within `seconds`; OSError (TimeoutError among them) where nobody answers.

    TCP sends at once (a terminal answers each frame), and a peer that vanished without a word is noticed by keep-alive
    when we wait and by the user timeout when we send.
    """
    if address.transport == "udp":
        family, kind, proto, _, target = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)[0]
        datagrams = socket.socket(family, kind, proto)
        datagrams.connect(target)
        return datagrams
    line = socket.create_connection((address.host, address.port), timeout=seconds)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_INTERVAL)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(seconds * 1000)))
    return line


def readable(line: socket.socket, seconds: float) -> bool:
    """Whether something (the end of file among it) can be read within `seconds`, without spending time on the wait."""
    waiter = select.poll()
    waiter.register(line, select.POLLIN)
    return bool(waiter.poll(max(0.0, seconds) * 1000))


class SerialLine:
    """A serial line for us alone: a second reader would get half of the bytes. Trouble is OSError, whatever its kind.

    Modem lines are left alone: USB converters and ptys have none. What lay in the buffer at the opening is the past.
    """

    def __init__(self, address: SerialAddress, baud: int) -> None:
        self._port = serial.Serial(address.path, baud, timeout=0.2, write_timeout=1.0, exclusive=True)
        try:
            self._port.reset_input_buffer()
        except termios.error as problem:
            self._port.close()
            raise OSError(*problem.args) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._port.close()

    def read(self) -> bytes:
        """What is there, or the first byte within 0.2 s, or nothing; OSError where the line broke."""
        return bytes(self._port.read(self._port.in_waiting or 1))
