"""What the terminal benchmarks share: a simulated terminal in its own process, pyzk beside us, figures in turns."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from zk import ZK


@contextmanager
def simulated(*arguments: str) -> Iterator[int]:
    """`accessctl-sim zk-terminal` with these arguments; gives its port."""
    command = [sys.executable, "-m", "accessctl_sim", "zk-terminal", "--port", "0", "--frame-gap-ms", "0", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            yield int(ready.split("address=tcp://127.0.0.1:")[1].split()[0])
        finally:
            process.terminate()


@contextmanager
def plain_pyzk(port: int) -> Iterator[Any]:
    """pyzk 0.9 as its README uses it, on its own socket."""
    connection = ZK("127.0.0.1", port=port, timeout=60, ommit_ping=True).connect()
    try:
        yield connection
    finally:
        connection.disconnect()


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def verdict(title: str, ratios: list[float], goal: float) -> bool:
    """Prints the median of the per-round ratios against the goal."""
    median = statistics.median(ratios)
    rounds = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    met = median >= goal
    print(f"{title}: median {median:.1f}x of {rounds} (goal {goal:g}x: {'met' if met else 'NOT MET'})")
    return met
