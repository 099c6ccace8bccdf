"""The fixture `house`: the panel in front of real desks and a real store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.house import House, house_in


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A furnished house with its people."""
    house = house_in(tmp_path)
    yield house
    house.store.close()
