"""The command as it is installed: one process, its ready line, control lines, SIGTERM."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from zk import ZK


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "accessctl_sim", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert words[0] == "ready"
    return dict(word.split("=", 1) for word in words[2:])


def control(process: subprocess.Popen[str], line: str) -> dict[str, object]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    result = json.loads(process.stdout.readline())
    assert isinstance(result, dict)
    return result


def test_a_terminal_from_start_to_sigterm(tmp_path: Path) -> None:
    kept = tmp_path / "memory.json"
    with running(
        "zk-terminal",
        "--port",
        "0",
        "--serial",
        "SN7",
        "--users",
        "3",
        "--records",
        "4",
        "--udp",
        "--save-state",
        str(kept),
    ) as process:
        facts = ready(process)
        assert facts["serial"] == "SN7"
        port = int(facts["address"].rpartition(":")[2])
        zk = ZK("127.0.0.1", port=port, timeout=5, ommit_ping=True)
        zk._ZK__sock.close()
        zk.connect()
        assert len(zk.get_attendance()) == 4
        assert control(process, "present card 100002")["user_id"] == "1002"
        assert len(zk.get_attendance()) == 5
        zk.disconnect()
        assert process.stdin is not None
        process.stdin.close()  # the end of the control lines is not the end of the terminal
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    memory = json.loads(kept.read_text("utf-8"))
    assert [user["user_id"] for user in memory["users"]] == ["1001", "1002", "1003"]
    with running("zk-terminal", "--port", "0", "--state", str(kept)) as process:
        ready(process)
        assert control(process, "state")["records"] == 5


def test_a_desk_reader(tmp_path: Path) -> None:
    link = tmp_path / "mesa"
    with running("desk-reader", "--protocol", "rdm6300", "--link", str(link)) as process:
        assert ready(process)["address"] == f"serial://{link}"
        assert link.is_char_device()
        assert control(process, "present 0F0184F07A 1")["card"] == "0F0184F07A"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert not link.is_symlink()


@pytest.mark.parametrize(
    "arguments",
    [
        ["zk-terminal", "--fault", "sneeze"],
        ["zk-terminal", "--port", "0", "--max-frame", "1"],
        ["zk-terminal", "--user-format", "30"],
        ["desk-reader"],
        [],
    ],
)
def test_a_wrong_command_line_is_exit_2(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "accessctl_sim", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert result.returncode == 2
    assert "accessctl-sim" in result.stderr
