"""A backlog of 100,000 events that a controller sends twice: it ends as exactly 100,000 entries, and at what rate.

The controller is the simulator's, in a process of its own, with batches of a hundred lines; each batch that was
acknowledged is sent once more. The whole record is verified after it.
"""

import argparse
import json
import subprocess
import sys
import time

from accessctl.domain.facts import Fact
from tests.benchmarks._population import machine
from tests.benchmarks._push import ingress
from tests.protocol.installation import Installation


def main() -> int:
    """Prints the rate; 0 where each event is there once."""
    parser = argparse.ArgumentParser(prog="script/bench backlog", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    print(machine())
    with ingress(1) as installation:
        command = [sys.executable, "-m", "accessctl_sim", "push-controller", "--server", installation.url]
        command += ["--serial", "C0", "--backlog", str(options.events), "--replay", "1", "--capacity", "1000000"]
        begun = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as controller:
            state = _until_empty(controller, options.events)
            took = time.monotonic() - begun
            controller.terminate()
        found = _stored(installation)
        rate = 2 * options.events / took
        print(f"{state['uploads']} uploads, {2 * options.events:,} lines in {took:.1f} s: {rate:,.0f} lines/s")
        print(f"{found:,} entries of {options.events:,} events, each sent twice; record verified")
    return 0 if found == options.events else 1


def _until_empty(controller: "subprocess.Popen[str]", events: int) -> dict[str, int]:
    assert controller.stdin is not None
    assert controller.stdout is not None
    limit = time.monotonic() + 60 + events / 500
    while time.monotonic() < limit:
        controller.stdin.write("state\n")
        controller.stdin.flush()
        line = controller.stdout.readline()
        if line.startswith("{"):
            state: dict[str, int] = json.loads(line)
            if state["waiting"] == 0 and state["uploads"] >= 2 * events / 100:
                return state
        time.sleep(0.2)
    raise TimeoutError("the backlog was not taken")


def _stored(installation: Installation) -> int:
    """How many entries there are, after the whole record was read against itself (raises `RecordBroken`)."""
    with installation.store.view() as tx:
        tx.ledger.check(trusted=(), held=())
        entries = tx.ledger.entries(0, tx.ledger.size())
        return sum(f'"{Fact.DOOR_GRANTED.value}"'.encode() in data for _, data, _ in entries)


if __name__ == "__main__":
    sys.exit(main())
