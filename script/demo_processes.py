"""The demo's real processes: the simulated site, and the service with its panel, ingress and devices."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

READY_WITHIN_S = 60.0


class DemoFailed(Exception):
    """Something did not go as the day says; the message names what."""


def wait_for(what: str, holds: Callable[[], Any], *, seconds: float = 20.0, every: float = 0.05) -> Any:
    """The first true answer of `holds`; `DemoFailed` naming `what` when it does not come in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if answer := holds():
            return answer
        time.sleep(every)
    raise DemoFailed(f"no llegó en {seconds:.0f} s: {what}")


class Simulator:
    """`accessctl-sim site`: a line in, a JSON answer out."""

    def __init__(self, site: Path, log: Path) -> None:
        command = [str(Path(sys.executable).parent / "accessctl-sim"), "site", str(site)]
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._ready = threading.Event()
        self.devices: dict[str, str] = {}
        self._turn = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(READY_WITHIN_S):
            raise DemoFailed("el sitio simulado no inició")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("ready site"):
                self._ready.set()
            elif line.startswith("ready "):
                fields = dict(part.split("=", 1) for part in line.split() if "=" in part)
                self.devices[fields.get("id", "")] = fields.get("address", "")
            elif line.startswith("{"):
                answer = json.loads(line)
                if "step" not in answer:
                    self._answers.put(answer)

    def say(self, line: str) -> dict[str, Any]:
        """One control line; its answer. `DemoFailed` where the simulator did not understand."""
        assert self._process.stdin is not None
        with self._turn:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._answers.get(timeout=30)
        if not answer.get("ok"):
            raise DemoFailed(f"simulador: {line}: {answer.get('error')}")
        return answer

    def end(self) -> None:
        """Stop the site."""
        self._process.terminate()
        self._process.wait(10)
        self._log.close()


class Service:
    """`accessctl serve`, as a process group of its own so that it can be killed whole."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config, self._log = config, log
        self._process: subprocess.Popen[str] | None = None
        self.panel = ""
        self.ingress = ""

    def start(self) -> None:
        """Start and wait for the `ready` line."""
        command = [sys.executable, "-m", "accessctl", "--config", str(self._config), "serve"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ACCESSCTL_")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, env=environment
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            raise DemoFailed(f"el servicio no inició; vea {self._log}")
        for part in line.split()[1:]:
            name, _, address = part.partition("=")
            setattr(self, name, address)

    def kill(self) -> None:
        """SIGKILL to every process of it, in the middle of whatever it does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """SIGTERM, and wait for a clean end."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        if self._process.wait(30) != 0:
            raise DemoFailed(f"el servicio terminó con {self._process.returncode}; vea {self._log}")


def command_line(config: Path, *arguments: str) -> str:
    """Run `accessctl` and return what it printed; `DemoFailed` with its own sentence where it refused."""
    command = [sys.executable, "-m", "accessctl", "--config", str(config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoFailed(f"accessctl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def empty(folder: Path) -> None:
    """An empty folder, whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
