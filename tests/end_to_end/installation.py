"""An installation in a folder of its own, driven by its command line: what a person types is what the tests run."""

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import TypeVar

from accessctl.bootstrap import Service, build
from accessctl.settings import load

T = TypeVar("T")
CONFIG = """\
database = "{database}"
data_dir = "data"
panel = "127.0.0.1:0"
ingress = "127.0.0.1:0"
cookie_secure = false
device_deadline_s = 2.0
"""
SITE = """\
[[zone]]
id = "sub"
name = "Subgerencia de Tecnología"

[[door]]
id = "sub-1"
name = "Puerta principal"
zone = "sub"
"""
TERMINAL = """
[[device]]
id = "{name}"
transport = "zk"
address = "tcp://127.0.0.1:{port}"
doors = ["sub-1"]
"""


def until(what: str, holds: Callable[[], T], *, seconds: float = 30.0) -> T:
    """The first true answer; fails, saying what was waited for."""
    end = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)
    return answer


class Installation:
    """`accessctl` with its settings in `folder`."""

    def __init__(self, folder: Path, *, database: str = "sqlite:///accessctl.db", **terminals: int) -> None:
        self.heard: list[str] = []  # what the process that is or was last `running` printed, by lines
        self.config = folder / "accessctl.toml"
        self.config.write_text(CONFIG.format(database=database), encoding="utf-8")
        site = folder / "site.toml"
        devices = (TERMINAL.format(name=name, port=port) for name, port in terminals.items())
        site.write_text(SITE + "".join(devices), encoding="utf-8")
        self.run("init")
        self.run("site", "apply", str(site))

    def on_another_machine(self, folder: Path) -> "Installation":
        """The same one in a folder of its own, as on a second machine: nothing is shared but the database."""
        shutil.copytree(self.config.parent, folder)
        other = copy(self)
        other.config = folder / self.config.name
        return other

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "accessctl", "--config", str(self.config), *arguments]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run it to its end; what it printed."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, env=environment(), timeout=60
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def running(self, *arguments: str, ready: str) -> Iterator[subprocess.Popen[str]]:
        """Start it and wait for the line that begins with `ready`; whatever is left of it is killed at the end."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=environment(),
        )
        lines: queue.Queue[str] = queue.Queue()
        seen: list[str] = []
        self.heard = []
        threading.Thread(target=_read, args=(process, lines, self.heard), daemon=True).start()
        try:
            while not seen or not seen[-1].startswith(ready):
                seen.append(lines.get(timeout=60))
                assert seen[-1], f"it ended: {''.join(seen)}"
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def service(self) -> Service:
        """Its desks, for looking at what was stored. Close its store."""
        return build(load(str(self.config)))


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str]", heard: list[str]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            heard.append(line)
            lines.put(line)
    lines.put("")


def environment() -> dict[str, str]:
    """Ours without anything that would be taken for a setting."""
    return {key: value for key, value in os.environ.items() if not key.startswith("ACCESSCTL_")}


def descendants(pid: int) -> set[int]:
    """The processes under this one, now."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue  # it ended while we looked
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found, grown = {pid}, True
    while grown:
        more = {one for one, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    """Which of them still run (a zombie does not)."""
    running = set()
    for pid in pids:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[0] != "Z":
            running.add(pid)
    return running
