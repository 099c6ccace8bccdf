"""P14: 10,000 users written to a terminal, and 1 % drift repaired, at 2 ms a round trip; pyzk and we take turns.

Full push. pyzk: `set_user` for each of the 10,000 (two round trips each). We: `put_users` with all of them (few buffers
in pieces of 1 KiB, command 110). Both overwrite the same slots of the same simulated terminal. Goal: 20 times as fast.

Drift repair: 100 of the 10,000 differ from what should be there. pyzk offers no comparison, so its way is `get_users`
and `set_user` of all; its time is the `get_users` of this round and the loop of this round. We: `users()`, compare,
and `put_users` of the 100; afterwards all 10,000 are read back, outside the clock, and must be right. Goal: 80 times
as fast. For those who would write the comparison themselves, pyzk's `get_users` and 100 `set_user` are measured and
printed too.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from accessctl.ports import Terminal, TerminalUser
from accessctl_drivers.zkteco.terminal import ZkTerminalDriver
from tests.benchmarks._population import machine
from tests.benchmarks._terminal import plain_pyzk, seconds, simulated, verdict

PUSH_GOAL, DRIFT_GOAL = 20.0, 80.0
DRIFT_EVERY = 100


def one_by_one(peer: Any, people: Sequence[TerminalUser]) -> None:
    """pyzk's way to write users."""
    for user in people:
        peer.set_user(uid=user.uid, name=user.name, user_id=user.user_id, card=user.card)


def repair(terminal: Terminal, wanted: Sequence[TerminalUser]) -> int:
    """Reads what is there, compares, writes what differs; how many that were."""
    there = {user.uid: user for user in terminal.users()}
    differing = [user for user in wanted if there.get(user.uid) != user]
    terminal.put_users(differing)
    return len(differing)


def drift(terminal: Terminal, wanted: Sequence[TerminalUser]) -> None:
    """Somebody changed one card in a hundred at the terminal."""
    terminal.put_users([replace(user, card=user.card + 1) for user in wanted[::DRIFT_EVERY]])


def main() -> int:
    """Prints the rounds; 0 where both goals are met."""
    parser = argparse.ArgumentParser(prog="script/bench p14", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--delay-ms", type=float, default=2.0)
    options = parser.parse_args()
    print(machine())
    wanted = [
        TerminalUser(uid=number, user_id=str(500_000 + number), name=f"Persona {number}", card=3_000_000 + number)
        for number in range(1, options.users + 1)
    ]
    pushes: list[float] = []
    repairs: list[float] = []
    by_hand: list[float] = []
    with simulated("--users", str(options.users), "--delay-ms", str(options.delay_ms)) as port:
        driver = ZkTerminalDriver(f"tcp://127.0.0.1:{port}", deadline=30.0)
        with plain_pyzk(port) as peer, driver.connect() as terminal:
            terminal.info()
            for number in range(1, options.rounds + 1):
                loop = seconds(lambda: one_by_one(peer, wanted))
                push = seconds(lambda: terminal.put_users(wanted))
                drift(terminal, wanted)
                read = seconds(peer.get_users)
                some = seconds(lambda: one_by_one(peer, wanted[::DRIFT_EVERY]))
                terminal.put_users(wanted[::DRIFT_EVERY])  # pyzk leaves its users without a group
                drift(terminal, wanted)
                changed: list[int] = []
                fast = seconds(lambda changed=changed: changed.append(repair(terminal, wanted)))  # type: ignore[misc]
                if changed != [len(wanted[::DRIFT_EVERY])] or list(terminal.users()) != wanted:
                    print(f"{changed} users were repaired, or the terminal does not hold what it should")
                    return 1
                pushes.append(loop / push)
                repairs.append((read + loop) / fast)
                by_hand.append((read + some) / fast)
                print(
                    f"round {number}: push pyzk {loop:.2f} s, ours {push:.3f} s, {loop / push:.1f}x; "
                    f"repair pyzk {read:.3f} + {loop:.2f} s, ours {fast:.3f} s, {(read + loop) / fast:.1f}x "
                    f"(pyzk with a comparison by hand {read + some:.3f} s, {(read + some) / fast:.1f}x)"
                )
    met = verdict("P14 full push", pushes, PUSH_GOAL)
    met = verdict("P14 drift of 1 %", repairs, DRIFT_GOAL) and met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
