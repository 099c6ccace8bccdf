"""Nonsense in any field that the auditor can fill in, or in an address, is answered: found nothing, refused, not here.

On PostgreSQL, whose integers are narrow and whose texts hold no NUL: what it answers, SQLite answers.
"""

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.storage.engine import make_engine
from accessctl.storage.migrations import migrate
from accessctl.storage.unit_of_work import SqlStore
from tests.web.house import House, post

NONSENSE = ("a\0b", "%", "99999999999", "9" * 30, "' OR '1'='1", "\u202e", "2026-02-31", "x" * 10_000)
SEARCHED = {
    "/registro/": ("since", "until", "door", "person", "card", "visit", "kind", "norm", "before", "after"),
    "/informes/entries": ("since", "door", "person", "after"),
    "/informes/visits": ("since", "door", "person", "after"),
    "/informes/looked_at": ("since", "person", "after"),
    "/informes/blind_spots": ("door", "after"),
    "/informes/visits.csv": ("since", "door", "person"),
    "/exportar/": ("since", "door", "person", "card", "visit", "kind", "norm"),
    "/personas/": ("q",),
    "/solicitudes/": ("q",),
    "/tarjetas/": ("q",),
    "/eventos": ("puerta",),
    "/visitas/": ("todas",),
    "/visitas/diferencias/": ("day",),
}
SENT = ("/registro/busquedas", "/exportar/", "/punto-de-control/continuidad")
PLACES = ("registro", "informes", "personas", "visitas", "alarmas", "solicitudes", "tarjetas", "bajas")


def answers(client: FlaskClient, text: str) -> dict[str, int]:
    """The statuses of everything that is asked with this text."""
    found = {}
    for path, names in SEARCHED.items():
        for name in names:
            found[f"{path}?{name}"] = client.get(path, query_string={name: text}).status_code
    for path in SENT:
        for name in ("name", "door", "person", "card", "visit", "norm", "note"):
            fields = {"name": "x", "format": "csv"} | {name: text}
            found[f"{path}: {name}"] = post(client, path, **fields).status_code
    if len(text) < 1000:
        for place in PLACES:
            found[f"/{place}/…"] = client.get(f"/{place}/{quote(text, safe='')}").status_code
        found["forget"] = post(client, f"/registro/busquedas/{quote(text, safe='')}/olvidar").status_code
    return found


@pytest.mark.postgresql
def test_nonsense_is_answered(postgresql_database: str, tmp_path: Path) -> None:
    engine = make_engine(postgresql_database)
    migrate(engine)
    house = House(SqlStore(engine, os.urandom), tmp_path)
    house.happens(Fact.DOOR_GRANTED, person=house.user.id)
    house.app.testing = False  # a bug is a page with the status 500, as in service
    auditor = house.client(Role.AUDITOR)
    for text in NONSENSE:
        found = answers(auditor, text)
        assert {path: status for path, status in found.items() if status >= 500} == {}, text[:40]
        assert any(status in {404, 409} for status in found.values()), text[:40]
    assert house.app.extensions["accessctl_exports"].settled(60)
    house.store.close()
