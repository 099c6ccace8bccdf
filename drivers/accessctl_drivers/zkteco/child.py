"""The process that runs pyzk: `python -m accessctl_drivers.zkteco.child`, started by `process`, one for each session.

Requests come on standard input, answers go to standard output (see `channel`); whatever pyzk prints goes to standard
error. The comm key arrives in the first request, never in an argument or the environment. When the input ends the
session is closed and the process with it. A failure of the terminal is an answer; a bug is a traceback and the end.
"""

import os
import sys
from collections.abc import Callable

from accessctl.ports import DeviceError, EnrolmentFailed
from accessctl_drivers.links import NetworkAddress
from accessctl_drivers.zkteco.channel import EVENT, Channel, ChannelClosed, Head
from accessctl_drivers.zkteco.frames import Command
from accessctl_drivers.zkteco.session import Session

Answer = tuple[Head, bytes]
_OPTIONS = {"serial": "~SerialNumber", "platform": "~Platform", "name": "~DeviceName"}


def _info(session: Session) -> Answer:
    """The answers to the questions for serial number, platform, name and firmware, each behind its length."""
    answers = [session.option(key) for key in _OPTIONS.values()]
    answers.append(session.ask(Command.GET_VERSION).data)
    return {"lengths": [len(answer) for answer in answers]}, b"".join(answers)


def _dataset(session: Session, head: Head) -> Answer:
    size, start, data = session.dataset(head["command"], head["function"], head.get("tail_from"))
    return {"size": size, "start": start}, data


def _ask(session: Session, head: Head, blob: bytes) -> Answer:
    return {}, session.ask(head["command"], blob).data


def _enrol(session: Session, head: Head, record: bytes) -> Answer:
    session.ask(Command.USER_WRQ, record)
    session.ask(Command.REFRESHDATA)
    session.framed.allow(head["seconds"], head["silence"])
    done = session.capture(head["uid"], head["user_id"], head["finger"])
    session.framed.allow(2 * head["silence"], head["silence"])
    body, announced, samples = session.captured(head["uid"], head["finger"], done=done)
    return {"announced": announced, "samples": samples}, body


def _listen(session: Session, head: Head) -> Answer:
    session.listen(head["seconds"])
    blob = bytearray()
    while session.framed.events:
        event = session.framed.events.popleft()
        blob += EVENT.pack(event.flag, len(event.data), event.at) + event.data
    return {}, bytes(blob)


def _dataset_size(session: Session, head: Head) -> Answer:
    return {"size": session.dataset_size(head["command"], head["function"])}, b""


def _act(session: Session, head: Head, blob: bytes) -> Answer:
    """The verbs whose answer is that they were done."""
    match head["verb"]:
        case "connect":
            session.connect()
        case "upload_users":
            session.upload_users(blob, head["out_of_use"])
        case "upload_template":
            session.upload_template(blob, bytes(head["place"]), head["out_of_use"])
        case "remove_users":
            session.remove_users(head["uids"])
        case "remove_templates":
            session.remove_templates(head["uid"], head["fingers"])
        case "unlock":
            session.unlock(head["seconds"])
        case verb:
            raise AssertionError(f"no such verb: {verb}")
    return {}, b""


_ANSWERING: dict[str, Callable[[Session, Head, bytes], Answer]] = {
    "info": lambda session, _head, _blob: _info(session),
    "dataset": lambda session, head, _blob: _dataset(session, head),
    "dataset_size": lambda session, head, _blob: _dataset_size(session, head),
    "ask": _ask,
    "listen": lambda session, head, _blob: _listen(session, head),
    "enrol": _enrol,
}


def _answer(session: Session, head: Head, blob: bytes) -> Answer:
    """The verb's answer, or the failure of the terminal as one."""
    session.framed.allow(head["within"], head["silence"])
    try:
        return _ANSWERING.get(head["verb"], _act)(session, head, blob)
    except DeviceError as error:
        reason = error.reason if isinstance(error, EnrolmentFailed) else None
        return {"error": type(error).__name__, "message": str(error), "reason": reason}, b""


def serve(channel: Channel) -> None:
    """Answers requests until the other side goes away; the first one makes the session."""
    head, blob = channel.receive()
    session = Session(
        NetworkAddress(transport=head["transport"], host=head["host"], port=head["port"]), head["comm_key"]
    )
    try:
        while True:
            channel.send(*_answer(session, head, blob))
            head, blob = channel.receive()
    except ChannelClosed:
        pass
    finally:
        session.framed.allow(2.0, 1.0)
        session.close()


def main() -> None:
    """Keeps standard output for the answers alone."""
    answers = os.dup(1)
    os.dup2(2, 1)
    serve(Channel(sys.stdin.fileno(), answers))


if __name__ == "__main__":
    main()
