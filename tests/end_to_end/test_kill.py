"""SIGKILL at any moment: what the terminal logged is in the record exactly once, in its order, and it verifies."""

import os
import signal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from accessctl.domain.facts import Fact
from accessctl.services.store import EventFilter
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.end_to_end.installation import Installation, alive, descendants, until

BACKLOG = 3000
KILLS = 7
USERS = 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261124])
def test_killed_again_and_again_every_record_is_one_entry(tmp_path: Path, seed: int) -> None:
    lots = Random(seed)
    with Simulated(TerminalConfig(users=USERS, records=BACKLOG)) as lobby:
        place = Installation(tmp_path, lobby=lobby.port)
        service = place.service()

        def entries() -> int:
            with service.store.view() as tx:
                health = tx.health.maybe("lobby")
            return health.log_count if health else 0

        try:
            sizes = []
            for _ in range(KILLS):
                with place.running("devices", "run", ready="ready devices") as process:
                    moment = lots.uniform(0.0, 1.2)
                    with pytest.raises(AssertionError, match="moment"):
                        until("the moment", lambda: False, seconds=moment)
                    for _ in range(lots.randrange(4)):
                        lobby.present_card(100_001 + lots.randrange(USERS))
                    children = descendants(process.pid)
                    process.kill()
                    process.wait(10)
                until("its children to end with it", lambda left=children: not alive(left))  # type: ignore[misc]
                sizes.append(entries())
            with place.running("devices", "run", ready="ready devices") as process:
                until("the whole log", lambda: entries() == lobby.state()["records"])
                lobby.present_card(100_001)
                until("the last card", lambda: entries() == lobby.state()["records"])
                os.kill(process.pid, signal.SIGTERM)
                assert process.wait(15) == 0
            records: Any = lobby.dump()["records"]
            with service.store.view() as tx:
                which = EventFilter(events=(Fact.DOOR_GRANTED.value,), device="lobby")
                stored = [(row.credential, row.device_time) for row, _ in tx.events.stream(which)]
            assert stored == [(f"pin:{one['user_id']}", one["at"]) for one in records], f"{seed=} {sizes=}"
            assert len(stored) > BACKLOG
            assert entries() == len(stored)
            assert service.record_keeper.verify_store().size == service.watch.size()
        finally:
            service.store.close()
        place.run("record", "verify")
        assert lobby.state()["enabled"]
