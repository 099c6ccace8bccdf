"""The HTTP of a device: one connection per request, headers as iClock sends them, and the faults that a network has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from accessctl_sim.faults import Faults

LONGEST_ANSWER = 4 << 20
PIECE_PAUSE_S = 0.0005
SLOW_PIECES = 256


class ServerAway(Exception):
    """The server could not be reached, was too slow, or did not answer in HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server said. Header names are lower case."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        return [line for line in self.body.replace("\r\n", "\n").split("\n") if line]


class HttpTalk:
    """Sends requests to one server, each on a connection of its own."""

    def __init__(self, server: str, *, faults: Faults, timeout_s: float) -> None:
        parts = urlsplit(server if "//" in server else f"http://{server}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{server}: a device speaks http://host:port")
        self._host = parts.hostname
        self._port = parts.port or 80
        self._prefix = parts.path.rstrip("/")
        self._faults = faults
        self.timeout_s = timeout_s
        self.cookie = ""
        self.requests = 0

    async def get(self, path: str) -> Reply:
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: str) -> Reply:
        """Post text; with the fault `duplicate` sometimes twice, the second answer counting."""
        reply = await self._ask("POST", path, body)
        if self._faults.strikes("duplicate"):
            reply = await self._ask("POST", path, body)
        return reply

    async def _ask(self, method: str, path: str, body: str | None) -> Reply:
        self.requests += 1
        if self._faults.strikes("drop"):
            raise ServerAway("the request was lost")
        if self._faults.has("delay"):
            await asyncio.sleep(self._faults.number("delay") / 1000)
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._exchange(self._request(method, path, body))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise ServerAway(str(error) or type(error).__name__) from error

    def _request(self, method: str, path: str, body: str | None) -> bytes:
        head = [
            f"{method} {self._prefix}{path} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            "User-Agent: iClock Proxy/1.09",
            "Connection: close",
            "Accept: application/push",
            "Accept-Charset: UTF-8",
            "Accept-Language: zh-CN",
        ]
        data = b"" if body is None else body.encode()
        if body is not None:
            head += ["Content-Type: application/push;charset=UTF-8", "Content-Language: zh-CN"]
            head.append(f"Content-Length: {len(data)}")
        if self.cookie:
            head.append(f"Cookie: {self.cookie}")
        return "\r\n".join([*head, "", ""]).encode() + data

    async def _exchange(self, request: bytes) -> Reply:
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=65_536)
        try:
            if self._faults.has("close-mid-data") and b"\r\n\r\n" in request[:-4]:
                writer.write(request[: int(self._faults.number("close-mid-data")) or len(request) - 7])
                await writer.drain()
                raise ConnectionResetError("closed in the middle")
            await self._send(writer, request)
            return await _read_reply(reader)
        finally:
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, request: bytes) -> None:
        size = int(self._faults.number("split")) or len(request)
        for number, start in enumerate(range(0, len(request), size)):
            writer.write(request[start : start + size])
            await writer.drain()
            if size < len(request):
                await asyncio.sleep(PIECE_PAUSE_S if number < SLOW_PIECES else 0)


async def _read_reply(reader: asyncio.StreamReader) -> Reply:
    words = (await reader.readuntil(b"\r\n")).decode("latin-1").split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].strip().isdecimal():
        raise ValueError("no HTTP answer")
    headers: dict[str, str] = {}
    while (line := (await reader.readuntil(b"\r\n")).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await _read_body(reader, headers)
    return Reply(status=int(words[1]), body=body.decode("utf-8", "replace"), headers=headers)


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
            if len(body) > LONGEST_ANSWER:
                raise ValueError("answer too long")
        return body
    if "content-length" in headers:
        size = int(headers["content-length"])
        if not 0 <= size <= LONGEST_ANSWER:
            raise ValueError("answer too long")
        return await reader.readexactly(size)
    return await reader.read(LONGEST_ANSWER)
