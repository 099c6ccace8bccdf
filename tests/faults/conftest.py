"""Fixtures of the fault tests: a living site, and two simulated terminals."""

from collections.abc import Iterator

import pytest

from accessctl.storage.unit_of_work import SqlStore
from accessctl_sim.zk.config import TerminalConfig
from accessctl_sim.zk.terminal import ZkTerminal as Simulated
from tests.keeping import Site


@pytest.fixture
def site(fresh_store: SqlStore) -> Site:
    """The Subgerencia on the wall clock."""
    return Site(store=fresh_store)


@pytest.fixture
def lobby() -> Iterator[Simulated]:
    """The terminal that things happen to."""
    with Simulated(TerminalConfig(serial="LOBBY")) as terminal:
        yield terminal


@pytest.fixture
def infra() -> Iterator[Simulated]:
    """The terminal that nothing happens to, and that must not feel it."""
    with Simulated(TerminalConfig(serial="INFRA")) as terminal:
        yield terminal
