"""`accessctl serve`: the panel, the ingress and the devices, each a process of its own, kept up by this one.

A part that ends is started again after a pause that grows; SIGTERM and SIGINT end all of them. The parts end with
this process whatever happens to it (`lifeline`).
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from types import FrameType

import structlog

log = structlog.get_logger("serve")

READY_WITHIN_S = 60.0
FREE_WITHIN_S = 10.0  # what was killed a moment ago may still be going
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
STEADY_AFTER_S = 60.0  # what ran so long is no longer failing: its next pause is short again
GRACE_S = 10.0
LOOK_EVERY_S = 0.2


class NotReady(Exception):
    """A part did not come up in time, or ended at once; the message names it."""


@dataclass(slots=True)
class Part:
    """One process of the service. `address` is where it listens, None where it does not."""

    name: str
    command: Sequence[str]
    address: tuple[str, int] | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    pause_s: float = FIRST_PAUSE_S
    due: float = 0.0
    began: float = 0.0

    def start(self) -> None:
        """Start the process. What it prints goes to standard error: standard output is ours alone, for `ready`."""
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())

    def listens(self) -> bool:
        """Whether somebody answers at its address."""
        if self.address is None:
            return True
        try:
            with socket.create_connection(self.address, timeout=0.5):
                return True
        except OSError:
            return False


class Supervisor:
    """Starts the parts, says when they are ready, keeps them up, ends them."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._stop = Event()

    def run(self, ready: Callable[[], None]) -> None:
        """Blocks until told to end. `ready` is called once, when every part that listens does. Raises `NotReady`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        try:
            for part in self._parts:
                if part.address is not None:
                    await_free(part.name, part.address)
            for part in self._parts:
                part.start()
            self._await_ready()
            if not self._stop.is_set():
                ready()
            while not self._stop.wait(LOOK_EVERY_S):
                self._mend()
        finally:
            self._end()

    def _told(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stop.set()

    def _await_ready(self) -> None:
        limit = time.monotonic() + READY_WITHIN_S
        waiting = list(self._parts)
        while waiting and not self._stop.is_set():
            part = waiting[0]
            if part.process is not None and part.process.poll() is not None:
                raise NotReady(f"{part.name} ended with {part.process.returncode}")
            if part.listens():
                waiting.pop(0)
            elif time.monotonic() > limit:
                raise NotReady(f"{part.name} did not come up in {READY_WITHIN_S:.0f} s")
            else:
                self._stop.wait(0.05)

    def _mend(self) -> None:
        now = time.monotonic()
        for part in self._parts:
            if part.process is None:
                if now >= part.due:
                    log.warning("starting again", part=part.name)
                    part.start()
            elif part.process.poll() is not None:
                if now - part.began > STEADY_AFTER_S:
                    part.pause_s = FIRST_PAUSE_S
                log.error("ended", part=part.name, code=part.process.returncode, again_in_s=part.pause_s)
                part.process, part.due = None, now + part.pause_s
                part.pause_s = min(part.pause_s * 2, LONGEST_PAUSE_S)

    def _end(self) -> None:
        running = [part.process for part in self._parts if part.process is not None and part.process.poll() is None]
        for process in running:
            process.terminate()
        limit = time.monotonic() + GRACE_S
        for process in running:
            try:
                process.wait(max(limit - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def self_command(*arguments: str) -> list[str]:
    """This program again, with these arguments, on the same interpreter."""
    return [sys.executable, "-m", "accessctl", *arguments]


def web_command(factory: str, address: tuple[str, int], *, threads: int) -> list[str]:
    """Granian in front of a WSGI factory: it holds against half-sent requests, and bounds what it takes at once."""
    limits = ["--blocking-threads", str(threads), "--backlog", "1024", "--backpressure", str(threads * 4)]
    return _granian(factory, address, "wsgi", limits)


def ingress_command(factory: str, address: tuple[str, int]) -> list[str]:
    """Granian in front of the ingress. A connection is a place of `backpressure`, whether it says anything or not."""
    return _granian(factory, address, "rsgi", ["--backlog", "4096", "--backpressure", "4096"])


def _granian(factory: str, address: tuple[str, int], interface: str, limits: Sequence[str]) -> list[str]:
    host, port = address
    options = ["--interface", interface, "--factory", "--host", host, "--port", str(port), "--workers", "1", "--no-ws"]
    hard = [
        "--http",
        "1",
        "--http1-header-read-timeout",
        "10000",
        "--workers-kill-timeout",
        "5",
        "--log-level",
        "warning",
    ]
    return [sys.executable, "-m", "granian", *options, *limits, *hard, factory]


def await_free(name: str, address: tuple[str, int]) -> None:
    """Wait until nobody listens at an address. Raises `NotReady` where somebody goes on to, or it is not ours to have.

    The web server would share the port with them, without a word: half of all requests would be answered by another
    installation.
    """
    host, port = address
    limit = time.monotonic() + FREE_WITHIN_S
    while True:
        try:
            socket.create_server(address, family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        except OSError as failed:
            if failed.errno != errno.EADDRINUSE or time.monotonic() > limit:
                why = os.strerror(failed.errno) if failed.errno else str(failed)
                raise NotReady(f"{name}: no se puede escuchar en / cannot listen at {host}:{port}: {why}") from None
            time.sleep(0.1)  # nobody tells when a port becomes free
        else:
            return


def free_port(host: str) -> int:
    """A port that is free now, for a setting of port 0."""
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])


def environment_for(config: str | None) -> None:
    """Hand the settings' file on to the processes that we start."""
    if config:
        os.environ["ACCESSCTL_CONFIG"] = config
