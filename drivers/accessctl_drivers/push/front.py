"""The ingress behind granian, in its RSGI interface: reads a body, within bounds, and only then takes a thread.

WSGI was tried and let go: there the body is read by the thread that answers, so sixteen bodies of which the half never
comes keep sixteen threads, and nobody else is served (0 of 20 good requests beside 200 half-sent ones; this way 20 of
20). Here a slow sender costs a task of the event loop, and no more than `LONGEST_BODY_S` of it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # exported by its documentation, not by `as`

from accessctl_drivers.push.app import LARGEST_BODY, Answer, Head, Ingress
from accessctl_drivers.push.request import Asked

THREADS = 72  # most of them wait for one commit together: more than the controllers of a large site at once
MOST_AT_ONCE = 512  # requests that were read and wait for a thread
BODIES_AT_ONCE = 64 << 20  # bytes of bodies in memory
LONGEST_BODY_S = 10.0

log = structlog.get_logger("ingress")


class Scope(Protocol):
    """What granian says of a request (its RSGI specification 1.5)."""

    @property
    def proto(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query_string(self) -> str: ...
    @property
    def client(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


class Wire(Protocol):
    """How granian takes a body and gives an answer."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None: ...


class _TooLarge(Exception):
    """The body has more bytes than it may."""


class Front:
    """The application that granian calls."""

    def __init__(self, ingress: Ingress) -> None:
        self._ingress = ingress
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ingress")
        self._inside = 0
        self._held = 0

    async def __call__(self, scope: Scope, wire: Wire) -> None:
        """One request."""
        head = _head(scope)
        asked = self._ingress.admit(head)
        if isinstance(asked, Answer):
            return _give(wire, asked)
        try:
            async with asyncio.timeout(LONGEST_BODY_S):
                body = await self._body(wire)
        except _TooLarge:
            return _give(wire, self._ingress.too_large(head, asked))
        except TimeoutError:
            return _give(wire, Answer(status=408, text="too slow", headers=(("Connection", "close"),)))
        except ProtocolClosed:
            return None  # it went away in the middle: nothing was taken
        if body is None or self._inside >= MOST_AT_ONCE:
            return _give(wire, self._ingress.busy())
        self._inside += 1
        self._held += len(body)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._answer, asked, head.source, body
            )
        finally:
            self._inside -= 1
            self._held -= len(body)
        return _give(wire, answer)

    async def _body(self, wire: Wire) -> bytes | None:
        """The whole body, or None where too many others are being read. Raises `_TooLarge`."""
        parts: list[bytes] = []
        size = 0
        try:
            async for part in wire:
                size += len(part)
                self._held += len(part)
                if size > LARGEST_BODY:
                    raise _TooLarge
                if self._held > BODIES_AT_ONCE:
                    return None
                parts.append(part)
        finally:
            self._held -= size
        return b"".join(parts)

    def _answer(self, asked: Asked, source: str, body: bytes) -> Answer:
        try:
            return self._ingress.answer(asked, source, body)
        except Exception:
            # The floor below which bugs are not caught: nothing is acknowledged, and the body stays out of the log.
            log.exception("request failed", serial=asked.serial, endpoint=asked.endpoint.value)
            return Answer(status=500, text="error")


def _head(scope: Scope) -> Head:
    length = scope.headers.get("content-length", "")
    said = int(length) if length.isascii() and length.isdecimal() and len(length) < 20 else None
    host, _, _ = scope.client.rpartition(":")
    return Head(
        method=scope.method,
        path=scope.path,
        query=scope.query_string,
        source=host.strip("[]"),
        length=said,
        encoding=scope.headers.get("content-encoding", ""),
    )


def _give(wire: Wire, answer: Answer) -> None:
    wire.response_str(answer.status, [(name.lower(), value) for name, value in answer.headers], answer.text)
