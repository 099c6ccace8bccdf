"""The child's side of a session: pyzk 0.9 for what it does well, raw buffers for what it does slowly or wrong.

pyzk connects and authenticates, frames every request, enrols, unlocks, registers events. It does not read a stream (see
`framed`), does not ping through a shell, opens no second connection to test the first (some terminals take one client
only), and never parses a bulk answer: those go to the service as bytes, where the codecs judge them.

pyzk is GPL-2 and is used as it is, by import, in this process only. Its private request method is called by its mangled
name, and its header method is overridden (same bytes, in microseconds instead of a millisecond for each KiB).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from struct import Struct
from struct import error as BytesTooShort  # noqa: N812  the standard library's own spelling says nothing
from typing import Any, TypeVar

from zk import ZK
from zk.exception import ZKError, ZKErrorResponse

from accessctl.ports import DeviceError, DeviceMisbehaved, DeviceRefused, DeviceUnreachable, EnrolmentFailed
from accessctl_drivers.links import NetworkAddress
from accessctl_drivers.zkteco.datasets import MAX_DATASET
from accessctl_drivers.zkteco.framed import EnrolmentOver, FramedSocket
from accessctl_drivers.zkteco.frames import Command, Frame, encode
from accessctl_drivers.zkteco.live import LISTENED

TCP_CHUNK, UDP_CHUNK = 0xFFC0, 0x4000  # what vendors' clients ask for in one READ_BUFFER
UPLOAD_CHUNK = 1024
_PREPARE = Struct("<bhii")
_RANGE = Struct("<ii")
_U32 = Struct("<I")
_U16 = Struct("<H")
_SLOT_FINGER = Struct("<Hb")
_SAVE_USERS = Struct("<IHH").pack(12, 0, 8)
_GOOD_SAMPLE = 0x64
_ENROLMENT_REASONS = {5: "duplicate", 4: "timeout", 6: "timeout"}
_BUSY = frozenset({Command.ACK_RETRY, Command.ACK_REPEAT})
_REFUSING = frozenset({Command.ACK_ERROR, Command.ACK_UNAUTH, 0xFFFF, 0xFFFD, 0xFFFC, 0xFFFB})

T = TypeVar("T")


class _NoProbe:
    """In place of pyzk's helper: no ping, and no second connection."""

    def test_tcp(self) -> int:
        return 0


class _Pyzk(ZK):  # type: ignore[misc]  # pyzk ships no types
    """pyzk on our socket."""

    def __init__(self, address: NetworkAddress, framed: FramedSocket, comm_key: int) -> None:
        super().__init__(
            address.host, address.port, password=comm_key, force_udp=address.transport == "udp", ommit_ping=True
        )
        self._ZK__sock: Any
        self._ZK__sock.close()
        self._framed = framed
        self.helper = _NoProbe()

    def _ZK__create_socket(self) -> None:  # noqa: N802  pyzk's private name, mangled
        self._ZK__sock = self._framed
        self._framed.connect_ex(None)

    def _ZK__create_header(  # noqa: N802  pyzk's private name, mangled
        self, command: int, data: bytes, session: int, reply: int
    ) -> bytes:
        return encode(command, session, (reply + 1) % 0xFFFF, data)


class Session:
    """One open session. Every method raises DeviceError for what the terminal does."""

    def __init__(self, address: NetworkAddress, comm_key: int) -> None:
        self.framed = FramedSocket(address)
        self._chunk = TCP_CHUNK if address.transport == "tcp" else UDP_CHUNK
        self._zk: Any = _Pyzk(address, self.framed, comm_key)
        self._listening = False

    def connect(self) -> None:
        """Connect, authenticate, and put the terminal to work again, in case an earlier session died in between."""
        self._by_pyzk(self._zk.connect)
        self.ask(Command.ENABLEDEVICE)

    def close(self) -> None:
        """Say goodbye where that is still possible, and close the line in any case."""
        with suppress(DeviceError):
            self._by_pyzk(self._zk.disconnect)
        self.framed.close()

    def _by_pyzk(self, call: Callable[..., T], *arguments: object, **named: object) -> T:
        """Calls pyzk; what it makes of a failure becomes ours again."""
        try:
            return call(*arguments, **named)
        except ZKErrorResponse as refusal:
            if self.framed.failure is not None:
                raise self.framed.failure from refusal
            why = "wrong comm key" if str(refusal) == "Unauthenticated" else str(refusal)
            raise DeviceRefused(f"terminal refused: {why}") from refusal
        except ZKError as problem:
            raise self.framed.failure or DeviceMisbehaved(f"pyzk: {problem}") from problem
        except (BytesTooShort, IndexError, TypeError, ValueError) as garbage:
            # pyzk leaks these where an answer is shorter or other than it expects
            raise self.framed.failure or DeviceMisbehaved(f"answer that pyzk cannot read: {garbage}") from garbage

    def ask(self, command: int, data: bytes = b"", *also: int) -> Frame:
        """One request and its first answer: ACK_OK or one of `also`; DeviceRefused for the protocol's refusals."""
        self._by_pyzk(self._zk._ZK__send_command, command, data, 1024)  # noqa: SLF001  see the module's docstring
        answer = self.framed.last_answer
        if answer.command == Command.ACK_OK or answer.command in also:
            return answer
        if answer.command in _BUSY:
            raise DeviceUnreachable(f"terminal is busy: {answer.command} to command {command}")
        if answer.command in _REFUSING:
            raise DeviceRefused(f"terminal refused command {command} with {answer.command}")
        raise DeviceMisbehaved(f"answer {answer.command} to command {command}")

    # bulk

    def dataset(self, command: int, function: int, tail_from: int | None) -> tuple[int, int, bytes]:
        """A whole dataset or its end: (size of all, where the bytes begin, bytes).

        With `tail_from` the first four bytes (the total) and everything from there are read, where the terminal keeps
        the dataset in a buffer; a small one comes whole. The buffer is freed in any case.
        """
        request = _PREPARE.pack(1, command, function, 0)
        answer = self.ask(Command.PREPARE_BUFFER, request, Command.DATA)
        if answer.command == Command.DATA or not answer.data:
            return len(answer.data), 0, answer.data
        size = self._announced(answer)
        try:
            if tail_from is None or not 4 < tail_from <= size:
                return size, 0, self._range(0, size)
            return size, tail_from, self._range(0, 4) + self._range(tail_from, size)
        finally:
            if self.framed.failure is None:
                self.ask(Command.FREE_DATA)

    def dataset_size(self, command: int, function: int) -> int:
        """How many bytes a dataset has, without reading it."""
        answer = self.ask(Command.PREPARE_BUFFER, _PREPARE.pack(1, command, function, 0), Command.DATA)
        if answer.command == Command.DATA or not answer.data:
            return len(answer.data)
        size = self._announced(answer)
        self.ask(Command.FREE_DATA)
        return size

    @staticmethod
    def _announced(answer: Frame) -> int:
        if len(answer.data) < 5:
            raise DeviceMisbehaved(f"buffer announced with {len(answer.data)} bytes")
        (size,) = _U32.unpack_from(answer.data, 1)
        if size > MAX_DATASET:
            raise DeviceMisbehaved(f"buffer of {size} bytes announced")
        return int(size)

    def _range(self, start: int, stop: int) -> bytes:
        pieces = []
        while start < stop:
            length = min(self._chunk, stop - start)
            answer = self.ask(Command.READ_BUFFER, _RANGE.pack(start, length), Command.PREPARE_DATA, Command.DATA)
            pieces.append(self._body(answer, length))
            start += length
        return b"".join(pieces)

    def _body(self, answer: Frame, length: int | None) -> bytes:
        """The data of an answer: in it, or announced by it and following in frames that end with an ACK_OK."""
        if answer.command == Command.DATA:
            if length is not None and len(answer.data) != length:
                raise DeviceMisbehaved(f"{len(answer.data)} bytes where {length} were asked for")
            return answer.data
        if answer.command != Command.PREPARE_DATA or len(answer.data) < 4:
            raise DeviceMisbehaved(f"answer {answer.command} where data should come")
        (announced,) = _U32.unpack_from(answer.data)
        if announced > self._chunk or (length is not None and announced != length):
            raise DeviceMisbehaved(f"{announced} bytes announced where {length} were asked for")
        body = bytearray()
        while (frame := self.framed.next_answer()).command == Command.DATA:
            body += frame.data
            if len(body) > announced:
                raise DeviceMisbehaved(f"more than the {announced} bytes that were announced")
        if frame.command != Command.ACK_OK or len(body) != announced:
            raise DeviceMisbehaved(f"{len(body)} of {announced} bytes, then {frame.command}")
        return bytes(body)

    @contextmanager
    def disabled(self, seconds: int) -> Iterator[None]:
        """The terminal shows «working» and takes nobody; it ends by itself after `seconds` should we die."""
        self.ask(Command.DISABLEDEVICE, _U32.pack(seconds))
        try:
            yield
        finally:
            if self.framed.failure is None:
                self.ask(Command.ENABLEDEVICE)

    def upload_users(self, buffer: bytes, seconds: int) -> None:
        """Users and templates in one go: the buffer in pieces of 1 KiB, then the command that takes them over."""
        with self.disabled(seconds):
            self._upload(buffer)
            self.ask(Command.SAVE_USERS, _SAVE_USERS)
            self.ask(Command.REFRESHDATA)

    def upload_template(self, template: bytes, place: bytes, seconds: int) -> None:
        """One finger with its flag, the way of the vendor's SDK (zk-protocol data-user.md)."""
        with self.disabled(seconds):
            self._upload(template)
            self.ask(Command.CHECKSUM_BUFFER)
            self.ask(Command.TMP_WRITE, place)
            self.ask(Command.FREE_DATA)
            self.ask(Command.REFRESHDATA)

    def _upload(self, buffer: bytes) -> None:
        self.ask(Command.FREE_DATA)
        self.ask(Command.PREPARE_DATA, _U32.pack(len(buffer)))
        for at in range(0, len(buffer), UPLOAD_CHUNK):
            self.ask(Command.DATA, buffer[at : at + UPLOAD_CHUNK])

    # single things

    def option(self, key: str) -> bytes:
        """The raw answer `key=value` to a question for an option; empty where the terminal does not know it."""
        try:
            return self.ask(Command.OPTIONS_RRQ, key.encode("ascii") + b"\0").data
        except DeviceRefused:
            return b""

    def remove_users(self, slots: list[int]) -> None:
        """Deletes the users of these slots, with their fingers."""
        for slot in slots:
            self.ask(Command.DELETE_USER, _U16.pack(slot))
        self.ask(Command.REFRESHDATA)

    def remove_templates(self, slot: int, fingers: list[int]) -> None:
        """Deletes these fingers of a slot."""
        for finger in fingers:
            self.ask(Command.DELETE_USERTEMP, _SLOT_FINGER.pack(slot, finger))
        self.ask(Command.REFRESHDATA)

    def unlock(self, seconds: int) -> None:
        """Opens the door for so long."""
        self._by_pyzk(self._zk.unlock, seconds)

    def listen(self, seconds: float) -> None:
        """Waits until an event is in `framed.events`, at most `seconds`."""
        if not self._listening:
            self._by_pyzk(self._zk.cancel_capture)
            self._by_pyzk(self._zk.verify_user)
            self._by_pyzk(self._zk.reg_event, LISTENED)
            self._listening = True
        self.framed.wait_for_events(seconds)

    def capture(self, slot: int, user_id: str, finger: int) -> bool | None:
        """Has a finger enrolled: whether pyzk saw it done, None where nobody came within what `allow` gave."""
        self._listening = False  # pyzk switches real-time events off at the end
        self.framed.begin_enrolment()
        try:
            return bool(self._by_pyzk(self._zk.enroll_user, uid=slot, temp_id=finger, user_id=user_id))
        except TimeoutError:
            return None
        except EnrolmentOver:
            return False
        finally:
            self.framed.end_enrolment()

    def captured(self, slot: int, finger: int, *, done: bool | None) -> tuple[bytes, int | None, int]:
        """What came of it: (answer with the template, its announced size, good samples).

        EnrolmentFailed where it was not `done`; the terminal is back at its daily work then.
        """
        log = [data for _, data in self.framed.enrolment_log if len(data) >= 2]
        codes = [_U16.unpack_from(data)[0] for data in log]
        if not done:
            self._by_pyzk(self._zk.cancel_capture)
            self._by_pyzk(self._zk.reg_event, 0)
            self._by_pyzk(self._zk.verify_user)
            reason = "timeout" if done is None or not codes else _ENROLMENT_REASONS.get(codes[-1], "quality")
            if reason == "timeout" and 0 in codes[:-1]:
                reason = "quality"  # a sample was scored zero before the terminal gave up
            raise EnrolmentFailed(reason, f"finger {finger} was not enrolled: {reason}")
        announced = _U16.unpack_from(log[-1], 2)[0] if log and len(log[-1]) >= 4 else None
        place = _SLOT_FINGER.pack(slot, finger)
        answer = self.ask(Command.USER_TEMPLATE_RRQ, place, Command.PREPARE_DATA, Command.DATA)
        return self._body(answer, None), announced, codes.count(_GOOD_SAMPLE)
