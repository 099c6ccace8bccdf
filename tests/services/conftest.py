"""Fixtures of the services' tests: a small site on a real SQLite store."""

import pytest

from accessctl.storage.unit_of_work import SqlStore
from tests.services.premises import Premises
from tests.stores import fresh_store

__all__ = ["fresh_store"]


@pytest.fixture
def premises(fresh_store: SqlStore) -> Premises:
    """Six people with roles, two doors, one terminal."""
    return Premises(store=fresh_store)
