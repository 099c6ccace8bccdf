"""Two machines with one PostgreSQL: one of them keeps the devices, and stops as soon as it cannot be sure of it."""

import os
import signal
from pathlib import Path

import psycopg
import pytest

from accessctl.storage.hold import DEVICES_LOCK
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.end_to_end.installation import Installation, alive, descendants, until

HOLDERS = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND (classid::bigint << 32 | objid::bigint) = %s
"""


def holders(address: str) -> set[int]:
    """The sessions of the server that say that the devices are theirs."""
    with psycopg.connect(address, autocommit=True) as server:
        return {pid for (pid,) in server.execute(HOLDERS, [DEVICES_LOCK])}


@pytest.mark.slow
def test_the_second_machine_refuses_until_the_first_is_gone(tmp_path: Path, postgresql_database: str) -> None:
    (tmp_path / "first").mkdir()
    with Simulated(TerminalConfig(users=1)) as lobby:
        first = Installation(tmp_path / "first", database=postgresql_database, lobby=lobby.port)
        second = first.on_another_machine(tmp_path / "second")
        with first.running("devices", "run", ready="ready devices") as process:
            refused = second.run("devices", "run", code=1)
            assert "otro proceso de esta instalación ya atiende los dispositivos" in refused
            assert "another process of this installation keeps the devices" in refused
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1)
            assert "lo que leyó la última vez" in second.run("devices", "plan", "lobby")
            os.kill(process.pid, signal.SIGKILL)  # as when the machine loses its power
            process.wait(30)
            until("the database to notice", lambda: not holders(postgresql_database))
            with second.running("devices", "run", ready="ready devices") as successor:
                assert "ya atiende los dispositivos" in first.run("devices", "run", code=1)
                successor.terminate()
                assert successor.wait(60) == 0
        assert not holders(postgresql_database)


@pytest.mark.slow
def test_who_loses_the_session_of_the_lock_lets_the_devices_go(tmp_path: Path, postgresql_database: str) -> None:
    with Simulated(TerminalConfig(users=1)) as lobby:
        place = Installation(tmp_path, database=postgresql_database, lobby=lobby.port)
        with place.running("devices", "run", ready="ready devices") as process:
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1)
            children = descendants(process.pid)
            _cut(postgresql_database)
            assert process.wait(60) == 1
            until("its processes to be gone", lambda: not alive(children))
            said = "la base de datos ya no confirma que los dispositivos son de este proceso"
            said_again = "the database no longer confirms that the devices are this process's"
            until("the reason", lambda: any(said in line and said_again in line for line in place.heard))
        until("the terminal to be free", lambda: lobby.state()["clients"] == 0)
        with place.running("serve", ready="ready panel=") as process:
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1)
            (before,) = holders(postgresql_database)
            _cut(postgresql_database)
            until("the supervisor to start them again", lambda: holders(postgresql_database) - {before}, seconds=60)
            until("a session with the terminal", lambda: lobby.state()["clients"] == 1, seconds=60)


def _cut(address: str) -> None:
    (session,) = holders(address)
    with psycopg.connect(address, autocommit=True) as server:
        assert server.execute("SELECT pg_terminate_backend(%s)", [session]).fetchone() == (True,)
