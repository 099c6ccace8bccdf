"""The site's file: shown first, applied once, nothing deleted; a file that cannot be a site changes nothing."""

import tomllib
from datetime import date

import pytest

from accessctl.domain.errors import Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.domain.schedules import ALWAYS, OFFICE_HOURS
from accessctl.services.site_desk import MOST, YEARS_AHEAD, Change, Site, SiteDesk, SiteWrong, read_site
from tests.services.premises import Premises
from tests.services.refusing import contents, facts_since, recorded, refused
from tests.services.test_request_desk import hire

FILE = """
[[zone]]
id = "cdatos"
name = "Centro de Datos"
inside = "sub"
class = "data_centre"

[[zone]]
id = "sub"
name = "Subgerencia de Tecnología"

[[door]]
id = "sub-1"
name = "Puerta principal"
zone = "sub"

[[door]]
id = "cd-1"
name = "Centro de Datos, puerta 1"
zone = "cdatos"

[[device]]
id = "lobby"
transport = "zk"
address = "tcp://127.0.0.1:4370"
doors = ["sub-1"]

[[device]]
id = "cd-panel"
transport = "push"
source = "127.0.0.1"
serial = "3383154200002"
doors = ["cd-1"]
online = true
"""


def site(text: str = FILE) -> Site:
    return read_site(tomllib.loads(text))


@pytest.fixture
def desk(premises: Premises) -> SiteDesk:
    return SiteDesk(premises.office)


def test_the_difference_is_shown_applied_once_and_then_there_is_none(premises: Premises, desk: SiteDesk) -> None:
    size, before = recorded(premises.store), contents(premises.store)
    wanted = [Change(what="device", kind="add", id="cd-panel")]
    assert desk.differences(site()) == wanted
    assert contents(premises.store) == before
    assert desk.apply(SYSTEM, site()) == wanted
    assert facts_since(premises.store, size) == [Fact.SITE_APPLIED.value]
    assert desk.apply(SYSTEM, site()) == []
    assert recorded(premises.store) == size + 1
    with premises.store.view() as tx:
        assert tx.health.get("cd-panel").wanted_at is not None


def test_what_left_the_file_is_retired_and_may_come_back(premises: Premises, desk: SiteDesk) -> None:
    desk.apply(SYSTEM, site())
    smaller = Site(zones=site().zones, doors=site().doors, devices=site().devices[:1])
    assert desk.apply(SYSTEM, smaller) == [Change(what="device", kind="retire", id="cd-panel")]
    with premises.store.view() as tx:
        assert tx.devices.get("cd-panel").retired
    assert desk.apply(SYSTEM, smaller) == []
    assert desk.apply(SYSTEM, site()) == [Change(what="device", kind="change", id="cd-panel")]
    with premises.store.view() as tx:
        assert not tx.devices.get("cd-panel").retired


@pytest.mark.parametrize("who", ["recepcion", "secretaria", "jefe", "auditor", "guardia"])
def test_who_may_not_change_the_site(premises: Premises, desk: SiteDesk, who: str) -> None:
    actor = premises.actors[who]
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.1"):
        desk.apply(actor, site())
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.1"):
        desk.install_calendar(actor)
    with refused(premises, actor, Reason.WRONG_ROLE, "N10.1"):
        desk.add_holiday(actor, day=date(2026, 3, 3), name="Feria")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "lobby"', 'id = "x\';DROP TABLE devices"', "id"),
        ('id = "lobby"', 'id = "../../etc"', "id"),
        ('id = "lobby"', f'id = "{"x" * 65}"', "64"),
        ('id = "lobby"', 'id = ""', "id"),
        ('id = "lobby"', "id = 7", "id"),
        ('id = "cd-1"', 'id = "sub-1"', "once only"),
        ('zone = "cdatos"', 'zone = "nowhere"', "no zone of this file"),
        ('inside = "sub"', 'inside = "cdatos"', "circles"),
        ('inside = "sub"', 'inside = "nowhere"', "circles"),
        ('class = "data_centre"', 'class = "vault"', "class"),
        ('transport = "zk"', 'transport = "uhppote"', "uhppote"),
        ('transport = "zk"\naddress = "tcp://127.0.0.1:4370"', 'transport = "zk"', "address"),
        ('serial = "3383154200002"\n', "", "serial"),
        ('doors = ["sub-1"]', 'doors = ["sub-1", "cd-1"]', "one door"),
        ('doors = ["sub-1"]', 'doors = ["nowhere"]', "no door of this file"),
        ('doors = ["cd-1"]', 'doors = ["sub-1"]', "guarded by"),
        ('doors = ["cd-1"]', 'doors = ["cd-1", "cd-1"]', "twice"),
        ('doors = ["cd-1"]', 'doors = "cd-1"', "list"),
        ("online = true", 'online = "yes"', "online"),
        ('name = "Puerta principal"', 'name = "a\\u0000b"', "name"),
        ('name = "Puerta principal"', f'name = "{"x" * 201}"', "name"),
        ('name = "Puerta principal"', 'name = "a"\ncolour = "red"', "colour"),
        ("[[zone]]", "[[castle]]\nid = 'x'\n[[zone]]", "castle"),
    ],
    ids=range(23),
)
def test_a_file_that_cannot_be_a_site_says_where(old: str, new: str, says: str) -> None:
    assert old in FILE
    with pytest.raises(SiteWrong) as wrong:
        site(FILE.replace(old, new, 1))
    assert says in str(wrong.value)
    assert len(str(wrong.value)) < 400


def test_a_site_is_bounded() -> None:
    rows = [{"id": f"z{number}", "name": "z"} for number in range(MOST + 1)]
    with pytest.raises(SiteWrong, match="2000"):
        read_site({"zone": rows})
    with pytest.raises(SiteWrong, match="list"):
        read_site({"zone": {"id": "z"}})


def test_zones_are_stored_outer_first(desk: SiteDesk) -> None:
    assert [zone.id for zone in site().zones] == ["sub", "cdatos"]


def test_the_calendar_is_installed_once_and_grows_by_hand(premises: Premises, desk: SiteDesk) -> None:
    admin = hire(premises, "Admin", Role.ADMIN)
    assert desk.install_calendar(admin)
    assert not desk.install_calendar(admin)
    with premises.store.view() as tx:
        assert {one.id for one in tx.schedules.find()} == {ALWAYS.id, OFFICE_HOURS.id}
        assert {one.date.year for one in tx.holidays.all()} == set(range(2026, 2026 + YEARS_AHEAD))
    size = recorded(premises.store)
    desk.add_holiday(admin, day=date(2026, 3, 3), name="Feria")
    assert facts_since(premises.store, size) == [Fact.SETTING_CHANGED.value]
    with refused(premises, admin, Reason.ALREADY_EXISTS, ""):
        desk.add_holiday(admin, day=date(2026, 3, 3), name="Feria")
    for name in ("", "a\x00", "x" * 121):
        with refused(premises, admin, Reason.TEXT_INVALID, ""):
            desk.add_holiday(admin, day=date(2026, 3, 4), name=name)
    desk.add_holiday(admin, day=date(2026, 3, 4), name="<svg onload=1>")  # data: escaped where it is shown
    with refused(premises, admin, Reason.ALREADY_EXISTS, ""):
        desk.add_schedule(admin, ALWAYS)
