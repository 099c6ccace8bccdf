"""A terminal to try things on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal


@pytest.fixture
def terminal() -> Iterator[ZkTerminal]:
    """Three people, five records, samples without pause."""
    with ZkTerminal(TerminalConfig(users=3, records=5, sample_ms=1)) as running:
        yield running
