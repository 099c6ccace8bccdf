"""P13: reading 100,000 attendance records off a terminal with 10,000 users, pyzk's whole call against our whole call.

Both sides have an open session with the same simulated terminal, take turns (A B A B …), and end with 100,000 values in
memory whose dates are decoded. pyzk: `get_attendance()`, which also downloads the users. We: `read_log(None)`, through
the child process, every record made. Goal: 30 times as fast.
"""

import argparse
import sys

from accessctl_drivers.zkteco.terminal import ZkTerminalDriver
from tests.benchmarks._population import machine
from tests.benchmarks._terminal import plain_pyzk, seconds, simulated, verdict

GOAL = 30.0


def main() -> int:
    """Prints the rounds; 0 where the goal is met."""
    parser = argparse.ArgumentParser(prog="script/bench p13", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=10_000)
    options = parser.parse_args()
    print(machine())
    ratios = []
    with simulated("--users", str(options.users), "--records", str(options.records)) as port:
        driver = ZkTerminalDriver(f"tcp://127.0.0.1:{port}", deadline=30.0)
        with plain_pyzk(port) as peer, driver.connect() as terminal:
            terminal.sizes()
            for number in range(1, options.rounds + 1):
                theirs: list[object] = []
                ours: list[object] = []
                slow = seconds(lambda theirs=theirs: theirs.extend(peer.get_attendance()))  # type: ignore[misc]
                fast = seconds(lambda ours=ours: ours.extend(terminal.read_log(None).records))  # type: ignore[misc]
                if not len(theirs) == len(ours) == options.records:
                    print(f"{len(theirs)} and {len(ours)} records instead of {options.records}")
                    return 1
                ratios.append(slow / fast)
                print(f"round {number}: pyzk {slow:.3f} s, ours {fast:.3f} s, {slow / fast:.1f}x")
    return 0 if verdict("P13 full read of the log", ratios, GOAL) else 1


if __name__ == "__main__":
    sys.exit(main())
