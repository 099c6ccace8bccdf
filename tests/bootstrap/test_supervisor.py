"""The supervisor over real processes and sockets: ready when all listen, mended when one ends, all ended at the end."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accessctl.bootstrap import supervisor
from accessctl.bootstrap.supervisor import NotReady, Part, await_free, free_port, self_command, web_command

LISTENER = """
import os, socket, sys, time
from pathlib import Path
Path(sys.argv[2]).open("a").write(f"{os.getpid()}\\n")
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""
HOST = "127.0.0.1"

# The supervisor takes the signals of its process, so it runs in one of its own.
SUPERVISE = """
import sys
from accessctl.bootstrap.supervisor import NotReady, Part, Supervisor
parts = [
    Part(name, [sys.executable, "-c", *rest.split("\\x1f")], address=("127.0.0.1", int(port)) if port else None)
    for name, port, rest in (one.split("\\x1e") for one in sys.argv[1:])
]
try:
    Supervisor(parts).run(lambda: print("ready", flush=True))
except NotReady as failed:
    print(failed, flush=True)
"""


def supervised(*parts: tuple[str, str, tuple[str, ...]]) -> "subprocess.Popen[str]":
    words = ["\x1e".join((name, port, "\x1f".join(command))) for name, port, command in parts]
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def started(file: Path, count: int) -> list[int]:
    """The process numbers that a part wrote down, once there are so many."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        numbers = [int(line) for line in file.read_text().split()] if file.exists() else []
        if len(numbers) >= count:
            return numbers
        time.sleep(0.02)
    raise AssertionError(f"{file} did not show {count} starts")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_ready_is_said_when_all_listen_a_killed_part_comes_back_and_all_end_together(tmp_path: Path) -> None:
    ports = [str(free_port(HOST)) for _ in range(2)]
    files = [tmp_path / "one", tmp_path / "two"]
    parts = [
        (name, port, (LISTENER, port, str(file))) for name, port, file in zip(("one", "two"), ports, files, strict=True)
    ]
    with supervised(*parts) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for port in ports:
            socket.create_connection((HOST, int(port)), timeout=5).close()
        [first] = started(files[0], 1)
        os.kill(first, signal.SIGKILL)
        second = started(files[0], 2)[1]
        [other] = started(files[1], 1)  # untouched by its neighbour's end
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
    assert not any(alive(pid) for pid in (first, second, other))


def test_a_part_that_ends_at_once_is_named_and_the_others_are_ended(tmp_path: Path) -> None:
    port = str(free_port(HOST))
    good = ("good", "", (LISTENER, port, str(tmp_path / "good")))
    with supervised(good, ("bad", str(free_port(HOST)), ("raise SystemExit(3)",))) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "bad ended with 3\n"
        process.wait(timeout=15)
    if (tmp_path / "good").exists():  # it may have been ended before it said that it began
        assert not any(alive(pid) for pid in started(tmp_path / "good", 1))


def test_a_part_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "GRACE_S", 0.3)
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    part = Part("stubborn", [sys.executable, "-c", stubborn])
    part.process = subprocess.Popen(part.command, stdout=subprocess.PIPE)
    assert part.process.stdout is not None
    part.process.stdout.readline()
    supervisor.Supervisor([part])._end()
    part.process.stdout.close()
    assert part.process.returncode == -signal.SIGKILL


def ended(part: Part) -> None:
    assert part.process is not None
    part.process.wait()


def runs(part: Part) -> bool:
    return part.process is not None


def test_pauses_grow_while_a_part_keeps_failing_and_are_short_again_after_a_steady_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("accessctl.bootstrap.supervisor.time.monotonic", lambda: now[0])
    part = Part("failing", [sys.executable, "-c", "raise SystemExit(1)"])
    kept = supervisor.Supervisor([part])
    pauses = []
    for lived in (0, 0, 0, 0, 0, 0, 0, supervisor.STEADY_AFTER_S + 1):
        part.start()
        ended(part)
        now[0] += lived
        kept._mend()
        pauses.append(part.due - now[0])
        kept._mend()
        assert not runs(part)  # not before it is due
        now[0] = part.due
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 1]


def test_a_port_that_somebody_has_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FREE_WITHIN_S", 0.3)
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as the web server listens
        server.bind((HOST, 0))
        server.listen()
        address: tuple[str, int] = server.getsockname()
        with pytest.raises(NotReady, match=f"panel: .*{HOST}:{address[1]}: Address already in use"):
            await_free("panel", address)
    await_free("panel", address)
    with pytest.raises(NotReady, match=r"ingress: .*192\.0\.2\.1:8081"):  # an address of nobody (RFC 5737)
        await_free("ingress", ("192.0.2.1", 8081))


def test_a_service_does_not_start_beside_another_on_the_same_port(tmp_path: Path) -> None:
    """It waits a while for it to go, because it may have been told to, and then names the part and the port."""
    note = tmp_path / "starts"
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        process = supervised(("panel", port, (LISTENER, port, str(note))))
        assert process.communicate(timeout=60)[0].startswith("panel: ")
    assert not note.exists()


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server((HOST, free_port(HOST))):
        pass


def test_commands_are_fixed_lists_without_a_shell() -> None:
    assert self_command("panel")[1:] == ["-m", "accessctl", "panel"]
    command = web_command("module:factory", ("::1", 8443), threads=4)
    assert command[0] == sys.executable
    assert command[command.index("--host") + 1] == "::1"
    assert command[command.index("--port") + 1] == "8443"
    assert command[-1] == "module:factory"
    assert not any(word in {"sh", "-c"} for word in command)
