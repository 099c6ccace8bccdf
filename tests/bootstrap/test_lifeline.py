"""Parts end with the parent that they were told of, and with nobody else's."""

import os
import subprocess
import sys
import time
from pathlib import Path

from accessctl.bootstrap.lifeline import end_with_server

# A parent that starts a part, tells us the part's number, and waits until it is killed.
PARENT = """
import subprocess, sys
part = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(part.pid, part.stdout.readline().strip(), flush=True)
part.wait()
"""
PART = """
import os, time
from accessctl.bootstrap.lifeline import end_with_parent, end_with_server
{tied}
print("up", flush=True)
time.sleep(60)
"""


def gone(pid: int, *, within: float) -> bool:
    """Whether the process ended, or only waits to be buried."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def part_of_a_killed_parent(tied: str) -> int:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, PART.format(tied=tied)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid, said = parent.stdout.readline().split()
        assert said == "up"
        parent.kill()
    return int(pid)


def test_a_part_ends_with_its_killed_parent() -> None:
    assert gone(part_of_a_killed_parent("end_with_parent(os.getppid())"), within=10)


def test_a_part_that_was_told_nothing_lives_on() -> None:
    pid = part_of_a_killed_parent("end_with_server()")  # no worker of a web server: nothing is asked
    try:
        assert not gone(pid, within=0.3)
    finally:
        os.kill(pid, 9)


def test_a_part_whose_parent_ended_before_it_asked_ends_itself() -> None:
    code = "from accessctl.bootstrap.lifeline import end_with_parent; end_with_parent(1); print('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-9, b"")


WORKER = """
import multiprocessing, os, time
from accessctl.bootstrap.lifeline import end_with_server
def work(line):
    end_with_server()
    line.send(os.getpid())
    time.sleep(60)
if __name__ == "__main__":
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(target=work, args=(theirs,)).start()
    print(ours.recv(), flush=True)
    time.sleep(60)
"""


def test_a_worker_ends_with_its_killed_web_server(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(WORKER)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        server.kill()
    assert gone(pid, within=10)


def test_here_nothing_is_asked() -> None:
    end_with_server()  # would end the tests with whoever runs them
