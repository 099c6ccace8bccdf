"""`accessctl-sim`: each device runs alone, says `ready …` when it listens, takes control lines on standard input.

Answers are JSON lines on standard output. The end of standard input ends nothing: SIGTERM or Ctrl-C does.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType

from accessctl_sim.control import Answer, answer, encode
from accessctl_sim.deskreader.reader import DeskReader
from accessctl_sim.faults import FAULTS, UnknownFault
from accessctl_sim.push.config import DIALECTS, WHEN_AWAY, PushConfig
from accessctl_sim.push.controller import PushController
from accessctl_sim.push.lines import verbs as controller_verbs
from accessctl_sim.site.building import Building
from accessctl_sim.site.plan import read_plan
from accessctl_sim.zk.config import FINGER_MODES, LIVE_FORMATS, TerminalConfig
from accessctl_sim.zk.lines import verbs as terminal_verbs
from accessctl_sim.zk.records import PUNCH_FORMATS, USER_FORMATS
from accessctl_sim.zk.snapshot import BadState
from accessctl_sim.zk.terminal import ZkTerminal


class Ended(Exception):
    """SIGTERM or SIGINT came."""


def _end(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Ended


def say(line: str) -> None:
    """One whole line at once, also when the script of a site speaks in between."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def converse(
    obey: Callable[[str], Answer],
    ready: Sequence[str],
    *,
    at_end: Callable[[], None],
    begin: Callable[[], None] = lambda: None,
) -> int:
    """Say that the device is ready, begin, answer control lines, and leave when told to end."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    try:
        for line in ready:
            say(line)
        begin()
        for line in sys.stdin:
            if line.strip() and not line.lstrip().startswith("#"):
                say(encode(obey(line)))
        threading.Event().wait()
    except Ended:
        at_end()
    return 0


def ready_line(facts: Mapping[str, object]) -> str:
    """`ready zk-terminal address=tcp://127.0.0.1:4370 serial=…`."""
    words = [f"{key}={json.dumps(value) if isinstance(value, bool) else value}" for key, value in facts.items()]
    return " ".join(["ready", str(facts["device"]), *words[1:]])


def zk_terminal(options: argparse.Namespace) -> int:
    config = TerminalConfig(
        serial=options.serial,
        host=options.host,
        port=options.port,
        udp=options.udp,
        users=0 if options.state else options.users,
        records=0 if options.state else options.records,
        commkey=options.commkey,
        user_format=options.user_format,
        record_format=options.record_format,
        max_frame=options.max_frame,
        frame_gap_ms=options.frame_gap_ms,
        delay_ms=options.delay_ms,
        live_every_s=options.live_every,
        live_format=options.live_format,
        punch_state=options.punch_state,
        finger=options.finger,
        utc_offset_hours=options.utc_offset,
        held_open_s=options.held_open,
        record_cap=options.record_cap,
        seed=options.seed,
    )
    state = json.loads(options.state.read_text("utf-8")) if options.state and options.state.exists() else None
    terminal = ZkTerminal(config, faults=tuple(options.fault), state=state)
    with terminal:

        def keep() -> None:
            if options.save_state:
                terminal.save(options.save_state)

        return converse(partial(answer, terminal_verbs(terminal)), [ready_line(terminal.ready())], at_end=keep)


def desk_reader(options: argparse.Namespace) -> int:
    with DeskReader(options.link, faults=tuple(options.fault), seed=options.seed) as reader:
        return converse(partial(answer, reader.verbs()), [ready_line(reader.ready())], at_end=lambda: None)


def push_controller(options: argparse.Namespace) -> int:
    config = PushConfig(
        server=options.server,
        serial=options.serial,
        doors=options.doors,
        registry_code=options.registry_code,
        backlog=options.backlog,
        replay=options.replay,
        online=options.online,
        when_away=options.when_away,
        held_open_s=options.held_open,
        dialect=options.dialect,
        dates_in_seconds=options.dates_in_seconds,
        doors_by_number=options.doors_by_number,
        poll_s=options.poll,
        retry_s=options.retry,
        capacity=options.capacity,
        utc_offset_hours=options.utc_offset,
        seed=options.seed,
    )
    with PushController(config, faults=tuple(options.fault)) as controller:
        return converse(
            partial(answer, controller_verbs(controller)), [ready_line(controller.ready())], at_end=lambda: None
        )


def site(options: argparse.Namespace) -> int:
    plan = read_plan(options.file)
    if options.script:
        plan = replace(plan, script_at_start=options.script == "at-start")
    with Building(plan, speed=options.speed, tell=lambda result: say(encode(result))) as building:
        devices = [ready_line(facts) for facts in building.ready()]
        name = json.dumps(plan.name, ensure_ascii=False)
        last = ready_line({"device": "site", "name": name, "devices": len(devices)})
        return converse(building.obey, [*devices, last], begin=building.begin, at_end=lambda: None)


def parser() -> argparse.ArgumentParser:
    """The command line, with its help."""
    top = argparse.ArgumentParser(prog="accessctl-sim", description=__doc__)
    devices = top.add_subparsers(required=True, metavar="DEVICE")
    _zk_options(devices.add_parser("zk-terminal", help="a ZKTeco terminal with its door, on TCP and UDP"))
    _desk_options(devices.add_parser("desk-reader", help="an RDM6300 card reader on a serial line"))
    _push_options(devices.add_parser("push-controller", help="a controller that calls the server (Security PUSH)"))
    _site_options(devices.add_parser("site", help="a whole building from one TOML file"))
    return top


def _common(command: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=ARG]",
        help=f"any of: {', '.join(FAULTS)}; may be repeated",
    )
    command.add_argument("--seed", type=int, default=0, help="of every draw (default 0)")
    command.set_defaults(run=run)


def _zk_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=4370, help="0 lets the system choose (default 4370)")
    add("--udp", action="store_true", help="answer UDP on the same port as well")
    add("--serial", default="SIM0000000001", metavar="SN")
    add("--users", type=int, default=0, metavar="N", help="user i has uid i, number 1000+i, card 100000+i")
    add(
        "--records",
        type=int,
        default=0,
        metavar="N",
        help="record k is user 1001 + k mod N, k minutes after 2026-01-01 07:00",
    )
    add("--commkey", type=int, default=0, metavar="K", help="0 is none")
    add("--user-format", type=int, choices=USER_FORMATS, default=72)
    add("--record-format", type=int, choices=PUNCH_FORMATS, default=40)
    add(
        "--live-format", type=int, choices=LIVE_FORMATS, default=0, help="bytes of a live punch; 0 fits the user format"
    )
    add(
        "--max-frame",
        type=int,
        default=65_536,
        metavar="BYTES",
        help="data bytes of one frame, 1008 on older terminals",
    )
    add("--frame-gap-ms", type=float, default=10.0, metavar="G", help="between the frames of one answer (default 10)")
    add("--delay-ms", type=float, default=0.0, metavar="D", help="before each answer")
    add("--live-every", type=float, default=0.0, metavar="S", help="somebody presents a card every S seconds")
    add("--punch-state", type=int, choices=range(6), default=0, help="state of each record: 0 in, 1 out")
    add("--finger", choices=FINGER_MODES, default="auto", help="whether a finger comes by itself to an enrolment")
    add("--utc-offset", type=float, default=-6.0, metavar="HOURS", help="the terminal's local time (default -6)")
    add("--held-open", type=float, default=15.0, metavar="S", help="an open door alarms after S seconds")
    add("--record-cap", type=int, default=0, metavar="N", help="room in the attendance log")
    add("--state", type=Path, metavar="FILE.json", help="memory to start with, instead of --users and --records")
    add("--save-state", type=Path, metavar="FILE.json", help="write the memory there at the end")
    _common(command, zk_terminal)


def _desk_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--protocol", choices=("rdm6300",), default="rdm6300")
    command.add_argument("--link", type=Path, required=True, metavar="PATH", help="where the serial line appears")
    _common(command, desk_reader)


def _push_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--server", required=True, metavar="URL", help="http://host:port of the device ingress")
    add("--serial", default="3383154200002", metavar="SN")
    add("--doors", type=int, default=1, metavar="N", help="1 to 8")
    add("--registry-code", default="", metavar="C", help="what an earlier registration left")
    add("--backlog", type=int, default=0, metavar="N", help="events that wait from the start")
    add("--replay", type=int, default=0, metavar="R", help="send every acknowledged batch R times more")
    add("--online", action="store_true", help="ask the server at each card")
    add("--when-away", choices=WHEN_AWAY, default="local", help="who decides while the server is away, with --online")
    add("--held-open", type=float, default=15.0, metavar="S", help="an open door alarms after S seconds")
    add("--dialect", choices=DIALECTS, default="security")
    add("--dates-in-seconds", action="store_true", help="a user's validity is in packed seconds (DateFmtFunOn=1)")
    add("--doors-by-number", action="store_true", help="a right is for one door, and no mask of doors")
    add("--poll", type=float, default=0.0, metavar="S", help="seconds between polls; 0 is what the server says")
    add("--retry", type=float, default=2.0, metavar="S", help="wait after a failure (default 2)")
    add("--capacity", type=int, default=100_000, metavar="N", help="room in the event buffer")
    add("--utc-offset", type=float, default=-6.0, metavar="HOURS", help="the controller's local time (default -6)")
    _common(command, push_controller)


def _site_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE.toml")
    command.add_argument("--speed", type=float, default=1.0, metavar="X", help="of the script (default 1)")
    command.add_argument("--script", choices=("at-start", "on-demand"), help="instead of what the file says")
    command.set_defaults(run=site)


def main(arguments: list[str] | None = None) -> int:
    """Run one device. Exit 2 for a wrong command line, state file or fault."""
    options = parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except (UnknownFault, BadState, ValueError, OSError) as error:
        print(f"accessctl-sim: {error}", file=sys.stderr)
        return 2
    return result


if __name__ == "__main__":
    sys.exit(main())
