"""The socket that pyzk gets: every `recv` is exactly one frame, and the end of the line is an error.

pyzk 0.9 takes one `recv` for one message, does not look at lengths, checksums, reply ids, and loops for ever when
`recv` returns nothing. So it never sees the stream. This object reads the stream, cuts it into frames, checks each,
and hands out answers only:

* an answer carries the reply id of the request that we sent last. One that repeats, byte for byte, an answer that was
  already handed out is dropped (UDP duplicates datagrams, and bridges do it to TCP); any other reply id is
  `DeviceMisbehaved`, because from there on no answer can be trusted to belong to its question.
* a real-time event is decoded, then acknowledged, then put aside into `events`, however it is mixed with answers.
  Events of an enrolment go to pyzk while it enrols, which acknowledges them itself.
* at the deadline, at the end of file, at a wrong length or checksum it raises, and goes on raising the same: the
  session is over. pyzk wraps what it catches into its own errors, so `failure` keeps the original.

All waiting is in `poll`, until a moment of the monotonic clock.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

from accessctl.ports import DeviceError, DeviceMisbehaved, DeviceUnreachable
from accessctl_drivers.links import NetworkAddress, open_network, readable
from accessctl_drivers.zkteco.frames import HEADER, TOP, Command, Frame, Splitter, decode, encode, with_top
from accessctl_drivers.zkteco.live import ENROLLFINGER, ENROLMENT_FLAGS, decode_event

_RECV = 1 << 18
_MAX_DATAGRAM = 1 << 16
_MAX_EVENTS = 4096  # more than that unread is a flood: the oldest go, the log has them
_MAX_AT_ONCE = 512
_REMEMBERED = 8
_MAX_REPEATS = 64


class EnrolmentOver(Exception):
    """The terminal said how the enrolment ended, and pyzk waits for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedEvent:
    """A real-time event as it came: flag, payload, and when (monotonic seconds, comparable between processes)."""

    flag: int
    data: bytes
    at: float


class FramedSocket:
    """See the module. `allow` must be called before each piece of work; it says how long that may take."""

    def __init__(self, address: NetworkAddress, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._clock = clock
        self._tcp = address.transport == "tcp"
        self._line: socket | None = None
        self._splitter = Splitter()
        self._until = self._silence = 0.0
        self._session = 0
        self._asked: tuple[int, int] | None = None  # command and reply id of the request that was sent last
        self._answered: deque[Frame] = deque(maxlen=_REMEMBERED)
        self._repeats = 0
        self._enrolling = False
        self._enrolment: deque[Frame] = deque()
        self._enrolment_over = False
        self.enrolment_log: list[tuple[int, bytes]] = []
        self.events: deque[ArrivedEvent] = deque(maxlen=_MAX_EVENTS)
        self.failure: DeviceError | None = None

    def allow(self, seconds: float, silence: float) -> None:
        """From now on `seconds` for all of it, and at most `silence` until the next frame is complete."""
        self._until = self._clock() + seconds
        self._silence = silence

    @property
    def last_answer(self) -> Frame:
        """The answer handed out last."""
        return self._answered[-1]

    # what pyzk calls

    def settimeout(self, seconds: float | None) -> None:
        """Nothing: pyzk's timeout is neither a deadline nor always obeyed; ours is `allow`."""

    def connect_ex(self, _address: object) -> int:
        """Connects to the address that this socket was made for, or raises."""
        try:
            self._line = open_network(self._address, min(self._silence, self._until - self._clock()))
            self._line.setblocking(False)
        except (OSError, ValueError) as problem:
            raise self._over(DeviceUnreachable(f"{self._address} does not answer: {problem}")) from problem
        return 0

    def send(self, message: bytes) -> int:
        """One whole message of pyzk's, with or without TCP top."""
        command, _, _, reply = HEADER.unpack_from(message, TOP.size if self._tcp else 0)
        if command != Command.ACK_OK:
            self._asked = (command, reply)
        self._send(message)
        return len(message)

    def sendto(self, message: bytes, _address: object) -> int:
        """The same over UDP; the socket is connected already."""
        return self.send(message)

    def recv(self, _size: int) -> bytes:
        """One frame: the answer to the last request, or, while enrolling and nothing is asked, an enrolment event."""
        frame = self._next_enrolment() if self._enrolling and self._asked is None else self.next_answer()
        packet = encode(frame.command, frame.session, frame.reply, frame.data)
        return with_top(packet) if self._tcp else packet

    def close(self) -> None:
        """Closes the line; further use fails."""
        if self._line is not None:
            self._line.close()
            self._line = None

    # what the session calls

    def next_answer(self) -> Frame:
        """The next frame that answers the last request. Transfers have several: all bear the request's reply id."""
        limit = self._limit()
        while True:
            frame = self._next_frame(limit)
            if frame.command == Command.REG_EVENT:
                self._put_aside(frame)
            elif self._is_answer(frame):
                self._answered.append(frame)
                if self._enrolling:
                    self._asked = None
                return frame

    def wait_for_events(self, seconds: float) -> None:
        """Returns when an event is there, or after `seconds`; an answer that nobody asked for is DeviceMisbehaved."""
        self._asked = None
        limit = self._clock() + seconds
        while not self.events and self._clock() < limit:
            if not self._something_comes(limit):
                return
            self._take_while_listening()
        while len(self.events) < _MAX_AT_ONCE and self._something_comes(self._clock()):
            self._take_while_listening()

    def begin_enrolment(self) -> None:
        """Events of the enrolment go to `recv` from now on."""
        self._enrolling, self._enrolment_over = True, False
        self._enrolment.clear()
        self.enrolment_log.clear()

    def end_enrolment(self) -> None:
        """Back to putting events aside."""
        self._enrolling = False

    # inside

    def _over(self, error: DeviceError) -> DeviceError:
        """Closes the line for `error`, or for what closed it before, and gives what to raise."""
        self.failure = self.failure or error
        self.close()
        return self.failure

    def _limit(self) -> float:
        return min(self._until, self._clock() + self._silence)

    def _something_comes(self, limit: float) -> bool:
        """Whether a frame is held or bytes arrive until `limit`."""
        if self.failure is not None:
            raise self.failure
        if self._line is None:
            raise self._over(DeviceUnreachable(f"{self._address} is not connected"))
        return self._splitter.waiting > 0 or readable(self._line, limit - self._clock())

    def _take_while_listening(self) -> None:
        frame = self._next_frame(self._clock() + self._silence)
        if frame.command == Command.REG_EVENT:
            self._put_aside(frame)
        elif not self._is_answer(frame):
            return
        else:
            raise self._over(DeviceMisbehaved(f"answer {frame.command} to a question that nobody asked"))

    def _next_frame(self, limit: float) -> Frame:
        """The next frame of any kind, complete and checked before `limit`."""
        if self.failure is not None:
            raise self.failure
        try:
            while True:
                packet = self._splitter.next_packet() if self._tcp else None
                if packet is not None:
                    return decode(packet)
                received = self._receive(limit)
                if not self._tcp:
                    return decode(received)
                self._splitter.feed(received)
        except DeviceError as error:
            raise self._over(error) from error.__cause__

    def _receive(self, limit: float) -> bytes:
        line = self._line
        if line is None:
            raise DeviceUnreachable(f"{self._address} is not connected")
        if not readable(line, limit - self._clock()):
            raise DeviceUnreachable(f"{self._address} was silent until the deadline")
        try:
            received = line.recv(_RECV if self._tcp else _MAX_DATAGRAM)
        except OSError as problem:
            raise DeviceUnreachable(f"{self._address} broke the line: {problem}") from problem
        if not received and self._tcp:
            raise DeviceUnreachable(f"{self._address} closed the line")
        return received

    def _send(self, message: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        if self._line is None:
            raise self._over(DeviceUnreachable(f"{self._address} is not connected"))
        try:
            self._line.settimeout(max(0.001, self._limit() - self._clock()))
            self._line.sendall(message)
            self._line.setblocking(False)
        except OSError as problem:
            raise self._over(DeviceUnreachable(f"{self._address} does not take what we send: {problem}")) from problem

    def _is_answer(self, frame: Frame) -> bool:
        """True for an answer to the last request, False for a repeated one; anything else ends the session."""
        if self._asked is not None and frame.reply == self._asked[1]:
            if self._asked[0] == Command.CONNECT:
                self._session = frame.session
            return True
        if frame in self._answered and self._repeats < _MAX_REPEATS:
            self._repeats += 1
            return False
        expected = "none" if self._asked is None else self._asked[1]
        raise self._over(DeviceMisbehaved(f"reply id {frame.reply} where {expected} was expected"))

    def _put_aside(self, frame: Frame) -> None:
        """Decode, then acknowledge, then keep."""
        flag = frame.session
        if self._enrolling and flag in ENROLMENT_FLAGS:
            self._enrolment.append(frame)
            return
        decode_event(flag, frame.data)
        packet = encode(Command.ACK_OK, self._session, frame.reply)
        self._send(with_top(packet) if self._tcp else packet)
        self.events.append(ArrivedEvent(flag=flag, data=frame.data, at=self._clock()))

    def _next_enrolment(self) -> Frame:
        if self._enrolment_over:
            raise EnrolmentOver
        while not self._enrolment:
            if not self._something_comes(self._until):
                raise TimeoutError("no finger in time")
            frame = self._next_frame(self._until)
            if frame.command == Command.REG_EVENT:
                self._put_aside(frame)
            elif self._is_answer(frame):
                raise self._over(DeviceMisbehaved(f"answer {frame.command} in the middle of an enrolment"))
        frame = self._enrolment.popleft()
        self.enrolment_log.append((frame.session, frame.data))
        self._enrolment_over = frame.session == ENROLLFINGER
        return frame
