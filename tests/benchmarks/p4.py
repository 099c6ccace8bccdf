"""P4: uploads of a hundred lines over HTTP, durable and in the record when acknowledged.

Three sides take turns: our ingress (parsed, judged by the policy, projected, chained, one commit for all that wait),
our own writer without HTTP and without projection (P1's side, 1,000 entries a transaction), and a Flask handler that
inserts and commits per request into a plain table. Goals: half of P1's rate, and 100,000 lines a second on two cores.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accessctl.bootstrap.supervisor import free_port, web_command
from accessctl.storage.record_store import RecordAppender
from tests.benchmarks._push import answer_on, ingress, posted
from tests.benchmarks._record import empty_record, machine
from tests.benchmarks.p1 import ours as p1_seconds
from tests.protocol.installation import HOST, until

GOAL_OF_P1 = 0.5
GOAL_LINES_A_SECOND = 100_000
CONNECTIONS = 16
LINES = 100


def uploads(controller: int, round_: int, count: int) -> list[bytes]:
    """Uploads of one controller, ready to be sent: grants of a hundred people, a second apart, none of them known."""
    found = []
    for number in range(count):
        first = (round_ * count + number) * LINES
        lines = [
            f"time=2026-01-{1 + index // 86400 % 28:02} {index // 3600 % 24:02}:{index // 60 % 60:02}:{index % 60:02}"
            f"\tpin={1 + index % 100}\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0\tverifytype=4\tindex={index + 1}"
            for index in range(first, first + LINES)
        ]
        target = f"/iclock/cdata?SN=C{controller}&table=rtlog"
        found.append(posted(target, "\n".join(lines).encode(), keep=True))
    return found


async def _send(port: int, batches: list[list[bytes]]) -> None:
    async def one(requests: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for request in requests:
            writer.write(request)
            status, body = await answer_on(reader)
            assert (status, body) == (200, b"OK")
        writer.close()

    await asyncio.gather(*map(one, batches))


def rate(port: int, round_: int, count: int) -> float:
    """Lines a second, all connections together."""
    batches = [uploads(controller, round_, count) for controller in range(CONNECTIONS)]
    begun = time.perf_counter()
    asyncio.run(_send(port, batches))
    return CONNECTIONS * count * LINES / (time.perf_counter() - begun)


@contextmanager
def flask_peer() -> Iterator[int]:
    """The peer, behind the same server."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port(HOST)
        environment = {**os.environ, "PEER_DATABASE": str(Path(folder) / "peer.db")}
        command = web_command("tests.benchmarks._flask_peer:peer_app", (HOST, port), threads=CONNECTIONS)
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                until("the peer listens", lambda: _listens(port))
                yield port
            finally:
                process.terminate()


def _listens(port: int) -> bool:
    try:
        asyncio.run(_send(port, [[posted("/iclock/cdata?SN=none", b"index=0", keep=True)]]))
    except OSError:
        return False
    return True


def main() -> int:
    """Prints the rounds; 0 where both goals are met."""
    parser = argparse.ArgumentParser(prog="script/bench p4", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--uploads", type=int, default=20, help="of each of the sixteen connections, in each round")
    options = parser.parse_args()
    print(machine())
    of_p1, of_flask, rates = [], [], []
    entries = CONNECTIONS * options.uploads * LINES // 1000 * 1000
    with ingress(CONNECTIONS) as installation, empty_record() as (engine, _), flask_peer() as peer:
        appender = RecordAppender()
        for turn in range(options.rounds):
            we = rate(installation.port, turn, options.uploads)
            writer = entries / p1_seconds(engine, appender, turn * entries, entries)
            they = rate(peer, turn, options.uploads)
            print(f"round {turn + 1}: ingress {we:,.0f}, writer alone {writer:,.0f}, Flask {they:,.0f} lines/s")
            rates.append(we)
            of_p1.append(we / writer)
            of_flask.append(we / they)
    share, most = statistics.median(of_p1), statistics.median(rates)
    met = share >= GOAL_OF_P1 and most >= GOAL_LINES_A_SECOND
    print(f"P4: {most:,.0f} lines/s (goal {GOAL_LINES_A_SECOND:,}), {share:.2f} of P1 (goal {GOAL_OF_P1}),", end=" ")
    print(f"{statistics.median(of_flask):.2f} of Flask committing per request: {'met' if met else 'NOT MET'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
