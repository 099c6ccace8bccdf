"""The scripted day with the service killed in the middle of it ends as the undisturbed day does."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.installation import environment

DEMO = Path(__file__).parents[2] / "script" / "demo.py"
KILLS = "8,14,33"  # before these acts: with papers half-way, in a fire with a visitor inside
WITHIN_S = 580.0  # four minutes on a machine that others use too; two of them run


@contextmanager
def day(out: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """The demo, under way."""
    command = [sys.executable, str(DEMO), "--once", "--out", str(out), *more]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(), start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)


def told(summary: dict[str, Any]) -> dict[str, object]:
    """What the day came to, its times and random names left out."""
    refusals = [tuple(one[key] for key in ("door", "reason", "norm", "missing_step")) for one in summary["refusals"]]
    return {
        "cards": {one["number"]: (one["person"], one["states"]) for one in summary["cards"]},
        "visits": sorted((one["zone"], one["states"], one["steps"]) for one in summary["visits"]),
        "refusals": Counter(refusals),
        "exceptions": Counter((one["door"], one["reason"], one["norm"]) for one in summary["exceptions"]),
        "differences": Counter(one["kind"] for one in summary["differences"]),
        "alarms": Counter(one["kind"] for one in summary["alarms"] if one["kind"] != "device_offline"),
        "offline": any(one["kind"] == "device_offline" for one in summary["alarms"]),  # more on a busy machine
        "devices": summary["devices"],
        "verified": summary["record"]["verified"],
    }


def running(place: Path) -> list[str]:
    """The command lines of processes that have to do with a folder."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = one.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            found += [line] if str(place) in line else []
    return found


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_ends_everything_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with day(tmp_path / "out") as process:
        assert process.stdout is not None
        assert process.stdout.readline()  # the first act: the service and the simulated site are there
        assert len([line for line in running(tmp_path) if " serve" in line]) == 1
        process.send_signal(ending)
        process.communicate(timeout=120)
        assert process.returncode == 1
        assert running(tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_in_the_middle_the_day_ends_the_same(tmp_path: Path) -> None:
    with day(tmp_path / "calm") as calm, day(tmp_path / "killed", "--kill-at", KILLS) as killed:
        ends = [process.communicate(timeout=WITHIN_S)[0] for process in (calm, killed)]
    assert [calm.returncode, killed.returncode] == [0, 0], "\n".join(end[-3000:] for end in ends)
    assert ends[1].count("SIGKILL") == len(KILLS.split(","))
    summaries = [
        json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8")) for name in ("calm", "killed")
    ]
    assert told(summaries[1]) == told(summaries[0])
