"""What the ingress benchmarks share: a real ingress with controllers on file, and clients that say what devices say."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM
from accessctl.domain.places import Device, Transport
from tests.protocol.installation import HOST, Installation, running
from tests.services.premises import Premises


@contextmanager
def ingress(controllers: int) -> Iterator[Installation]:
    """The ingress as a process, on an SQLite file of its own, with controllers of the serial numbers `C0`, `C1`, …"""

    def site(premises: Premises) -> None:
        with premises.store.begin() as tx:
            for number in range(controllers):
                tx.devices.add(
                    Device(
                        id=f"c{number}",
                        transport=Transport.PUSH,
                        serial=f"C{number}",
                        source=HOST,
                        doors=("cd-1",) if number % 2 else ("sub-1",),
                        online=True,
                    )
                )
            tx.record(Fact.SITE_APPLIED, at=premises.now, actor=SYSTEM)
            tx.commit()

    with tempfile.TemporaryDirectory(prefix="accessctl-bench-") as folder, running(Path(folder), site) as installation:
        yield installation


def posted(target: str, body: bytes, *, keep: bool = False) -> bytes:
    """A POST as a controller sends it."""
    connection = "keep-alive" if keep else "starting"
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: iClock Proxy/1.09\r\nConnection: {connection}\r\n"
    return f"{head}Content-Type: application/push;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def got(target: str) -> bytes:
    """A GET as a controller sends it."""
    return f"GET {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: iClock Proxy/1.09\r\nConnection: starting\r\n\r\n".encode()


async def answer_on(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


async def asked(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own, as controllers do."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request)
        return await answer_on(reader)
    finally:
        writer.close()


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of all stay below or at."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
