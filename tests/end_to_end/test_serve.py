"""`accessctl serve` ends whole, told to or killed; its parts are kept up; what another process asks goes through it."""

import json
import os
import signal
from pathlib import Path

import pytest

from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.end_to_end.installation import Installation, alive, descendants, until

READY = "ready panel="


@pytest.mark.slow
def test_it_ends_clean_when_told_and_whole_when_killed(tmp_path: Path) -> None:
    with Simulated(TerminalConfig(users=3)) as lobby:
        place = Installation(tmp_path, lobby=lobby.port)
        (row,) = json.loads(place.run("devices", "plan", "--json"))  # nobody keeps it: we look ourselves
        assert (row["id"], row["left"], row["rogues"]) == ("lobby", 0, ["1001", "1002", "1003"])
        with place.running("serve", ready=READY) as process:
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1)
            assert "ya atiende los dispositivos" in place.run("devices", "run", code=1)
            lobby.add_user("666", card=666)
            lobby.fault("second-client-refused")
            applied = place.run(
                "devices", "apply", "lobby", "--json"
            )  # through the service: its session is the only one
            assert "lo aplica él" in applied
            (row,) = json.loads(applied[applied.index("[") : applied.rindex("]") + 1])
            assert (row["left"], sorted(row["rogues"])) == (0, ["1001", "1002", "1003", "666"])
            assert "lo que leyó la última vez" in place.run("devices", "plan")
            first = until("the devices' process", lambda: _keeper(process.pid))
            os.kill(first, signal.SIGKILL)
            until("another one", lambda: _keeper(process.pid) not in {0, first})
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1)
            children = descendants(process.pid)
            assert len(children) >= 4  # panel, ingress, devices, the child that holds the line
            process.terminate()
            assert process.wait(20) == 0
            until("its processes to be gone", lambda: not alive(children), seconds=10)
        with place.running("serve", ready=READY) as process:
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1)
            children = descendants(process.pid)
            process.kill()
            assert process.wait(20) == -signal.SIGKILL
            until("its processes to be gone", lambda: not alive(children), seconds=10)
        until("the terminal to be free", lambda: lobby.state()["clients"] == 0)
        assert lobby.state()["enabled"]


def _keeper(pid: int) -> int:
    """The process that keeps the devices, by its command line; 0 where there is none."""
    for child in descendants(pid):
        try:
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"devices" in words and b"run" in words:
            return child
    return 0
