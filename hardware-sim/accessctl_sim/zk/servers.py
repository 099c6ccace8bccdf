"""The terminal's sockets: TCP and, on the same port, UDP. They go with the power and come back on the same port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import cast

from accessctl_sim.zk.links import Link, TcpLink, UdpLink
from accessctl_sim.zk.machine import Machine

MOST_UDP_PEERS = 64
MOST_WAITING_DATAGRAMS = 512


class UdpServer(asyncio.DatagramProtocol):
    """One link and one worker per peer address, so that a slow answer to one keeps nobody else waiting."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._transport: asyncio.DatagramTransport | None = None
        self._peers: dict[tuple[str, int], tuple[UdpLink, asyncio.Queue[bytes], asyncio.Task[None]]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is None or self._machine.faults.strikes("drop"):
            return
        if addr not in self._peers:
            if self._machine.faults.has("second-client-refused") and any(s.connected for s in self._machine.sessions):
                return
            if len(self._peers) >= MOST_UDP_PEERS:
                self._forget(next(iter(self._peers)))
            link = UdpLink(self._machine, self._transport, addr)
            queue: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING_DATAGRAMS)
            self._peers[addr] = link, queue, asyncio.get_running_loop().create_task(_serve(link, queue))
        queue = self._peers[addr][1]
        if not queue.full():
            queue.put_nowait(data)

    def close(self) -> None:
        for peer in list(self._peers):
            self._forget(peer)
        if self._transport is not None:
            self._transport.close()

    def _forget(self, peer: tuple[str, int]) -> None:
        link, _, worker = self._peers.pop(peer)
        link.silent = True
        worker.cancel()


async def _serve(link: Link, queue: asyncio.Queue[bytes]) -> None:
    try:
        while True:
            await link.serve(await queue.get())
    finally:
        await link.close()


class Servers:
    """Opens and closes the terminal's sockets."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._tcp: asyncio.Server | None = None
        self._udp: UdpServer | None = None
        self._links: set[TcpLink] = set()
        self.port = machine.config.port

    @property
    def listening(self) -> bool:
        return self._tcp is not None

    async def open(self) -> None:
        """Listen; the port that the system chose the first time is kept ever after."""
        host = self._machine.config.host
        self._tcp = await asyncio.start_server(self._accept, host, self.port, reuse_address=True)
        self.port = self._tcp.sockets[0].getsockname()[1]
        if self._machine.config.udp:
            loop = asyncio.get_running_loop()
            _, self._udp = await loop.create_datagram_endpoint(
                lambda: UdpServer(self._machine), local_addr=(host, self.port)
            )

    async def close(self) -> None:
        """Cut every connection without a word, as a power cut does."""
        if self._tcp is None:
            return
        self._tcp.close()
        self._tcp = None
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        closing: list[Awaitable[None]] = []
        for link in list(self._links):
            link.abort()
            closing.append(link.close())
        await asyncio.gather(*closing)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._machine.faults.has("second-client-refused") and any(s.connected for s in self._machine.sessions):
            writer.transport.abort()
            return
        link = TcpLink(self._machine, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)
