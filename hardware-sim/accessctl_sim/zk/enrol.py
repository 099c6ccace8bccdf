"""Enrolment at the terminal: three samples of a finger, each frame sent only after the client acknowledged the last.

The order of frames is what zk-protocol other.md shows and pyzk 0.9 waits for: EF_FINGER (empty), EF_FPFTR (score
100), three
times, then EF_ENROLLFINGER with the result. The finger itself is scripted: `finger-ready`, or one that comes by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from accessctl_sim.zk.codes import EnrolResult, Event
from accessctl_sim.zk.fingers import block_of
from accessctl_sim.zk.live import enrolled_body, event_packet
from accessctl_sim.zk.session import Session

SAMPLES = 3
ACK_TIMEOUT_S = 10.0


class Outcome(StrEnum):
    """How the person at the reader will do."""

    OK = "ok"
    BAD_QUALITY = "bad-quality"
    TIMEOUT = "timeout"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyFinger:
    """A finger held out for the next enrolment: whose, which, and how it will go."""

    person: str
    finger: int
    outcome: Outcome = Outcome.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What STARTENROLL asked for."""

    user_id: str
    finger: int
    flag: int


class ClientWentAway(Exception):
    """The client did not acknowledge a frame in time."""


class Enrolment:
    """One running enrolment on behalf of one client."""

    def __init__(
        self,
        session: Session,
        request: Request,
        *,
        wait_for_finger: Callable[[], asyncio.Future[ReadyFinger]],
        known: Callable[[bytes, str], bool],
        store: Callable[[Request, bytes], None],
        sample_s: float,
        timeout_s: float,
    ) -> None:
        self._session = session
        self._request = request
        self._wait_for_finger = wait_for_finger
        self._known = known
        self._store = store
        self._sample_s = sample_s
        self._timeout_s = timeout_s

    async def run(self) -> EnrolResult | None:
        """Carry it through; None if the client stopped acknowledging."""
        try:
            return await self._run()
        except ClientWentAway:
            return None

    async def _run(self) -> EnrolResult:
        await asyncio.sleep(self._sample_s)  # the answer to STARTENROLL goes out first, in a segment of its own
        try:
            ready = await asyncio.wait_for(self._wait_for_finger(), self._timeout_s)
        except TimeoutError:
            return await self._finish(EnrolResult.TIMEOUT)
        if ready.outcome is Outcome.TIMEOUT:
            return await self._finish(EnrolResult.TIMEOUT)
        block = block_of(ready.person, ready.finger)
        for _ in range(SAMPLES):
            await self._send(Event.FINGER, b"")
            good = ready.outcome is not Outcome.BAD_QUALITY
            await self._send(Event.FPFTR, (100 if good else 0).to_bytes(2, "little"))
            if not good:
                return await self._finish(EnrolResult.BAD_QUALITY)
        if ready.outcome is Outcome.DUPLICATE or self._known(block, self._request.user_id):
            return await self._finish(EnrolResult.DUPLICATE)
        self._store(self._request, block)
        return await self._finish(EnrolResult.OK, size=len(block))

    async def _finish(self, result: EnrolResult, *, size: int = 0) -> EnrolResult:
        body = enrolled_body(result, size=size, user_id=self._request.user_id, finger=self._request.finger)
        await self._send(Event.ENROLLFINGER, body)
        return result

    async def _send(self, event: Event, body: bytes) -> None:
        self._session.acknowledged.clear()
        self._session.push([event_packet(event, body)])
        try:
            await asyncio.wait_for(self._session.acknowledged.wait(), ACK_TIMEOUT_S)
        except TimeoutError:
            raise ClientWentAway from None
        await asyncio.sleep(self._sample_s)
