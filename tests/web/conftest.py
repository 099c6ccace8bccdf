"""The fixtures `house`, the panel in front of real desks and a real store, and `address`, that panel on a socket."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from tests.web.house import House, house_in


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A furnished house with its people."""
    house = house_in(tmp_path)
    yield house
    house.store.close()


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """The panel on a port of its own."""
    server = make_server("127.0.0.1", 0, house.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
