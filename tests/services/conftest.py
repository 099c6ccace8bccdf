"""Fixtures of the services' tests: a small site on a real SQLite store."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.services.premises import Premises
from tests.services.visiting import Visiting
from tests.stores import fresh_store, sqlite_store

__all__ = ["fresh_store"]


@cache
def _furnished() -> tuple[Path, Premises]:
    """Furnished premises and their database: made once in a process, copied for each test."""
    folder = Path(tempfile.mkdtemp(prefix="accessctl-premises-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Premises(store=sqlite_store(folder / "premises.db"))
    made.store.close()  # folds the WAL into the file
    return folder / "premises.db", made


@pytest.fixture
def premises(tmp_path: Path) -> Iterator[Premises]:
    """Six people with roles, two doors, one terminal."""
    file, made = _furnished()
    shutil.copyfile(file, tmp_path / "accessctl.db")
    store = sqlite_store(tmp_path / "accessctl.db")
    yield Premises(store=store, now=made.now, ids=made.ids, actors=dict(made.actors), furnished=True)
    store.close()


@pytest.fixture
def visiting(premises: Premises) -> Visiting:
    """The premises with a data centre that asks, and the visit's desks."""
    return Visiting(premises)
