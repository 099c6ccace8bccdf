"""Pages that follow the record: resumable at an entry, told of what concerns them, once for a flood."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from accessctl.domain.alarms import AlarmKind
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Presence
from accessctl.domain.people import SYSTEM, Person, Role
from accessctl.services.alarm_desk import Subject, raise_alarm
from tests.browser import PATIENCE_MS
from tests.web.clicking import enter
from tests.web.house import House

expect.set_options(timeout=PATIENCE_MS)
SOON_MS = 5_000  # it is there within two seconds on a machine with nothing else to do; a busy one gets more


def goes_in(house: House, person: Person) -> int:
    """Somebody is let in: what a door's event does to the record and to who is where. Its entry."""
    with house.store.begin() as tx:
        now = house.clock()
        tx.presence.add(
            Presence(id=person.id, zone="subgerencia", since=now, seen_at=now, door="sub-1", visit="", certain=True)
        )
        tx.record(Fact.DOOR_GRANTED, at=now, actor=SYSTEM, door="sub-1", person=person.id, direction="in")
        tx.commit()
    return house.desks.bulletin.known()


def rings(house: House, key: str) -> None:
    with house.store.begin() as tx:
        raise_alarm(tx, house.office, AlarmKind.DOOR_FORCED, Subject(key=key, door="cd-1"), at=house.clock())
        tx.commit()


def events_of(text: str) -> list[tuple[str, int]]:
    """The events of an answer, with the entries that they name."""
    return [(name, int(at)) for name, at in re.findall(r"event: (\w+)\nid: (-?\d+)\n", text)]


def test_a_stream_goes_on_where_the_last_one_ended(house: House) -> None:
    guard, before = house.client(Role.GUARDIA), house.desks.bulletin.known()
    first = goes_in(house, house.user)
    answer = guard.get("/en-vivo/inside", query_string={"after": before})
    assert answer.mimetype == "text/event-stream"
    assert events_of(answer.text) == [("changed", first)]
    went_on = int(re.findall(r"^id: (\d+)$", answer.text, flags=re.MULTILINE)[-1])
    quiet = guard.get("/en-vivo/inside", query_string={"after": before}, headers={"Last-Event-ID": str(went_on)})
    assert events_of(quiet.text) == []
    rings(house, "cd-1")  # while nobody listens
    last = house.desks.bulletin.known()
    resumed = guard.get("/en-vivo/inside", query_string={"after": before}, headers={"Last-Event-ID": str(went_on)})
    assert events_of(resumed.text) == [("alarms", last)]
    assert "data: 1\n" in resumed.text


def test_what_does_not_concern_a_page_moves_its_place_and_says_nothing(house: House) -> None:
    guard, before = house.client(Role.GUARDIA), house.desks.bulletin.known()
    house.person("Otra Persona", number=50_000_001)
    answer = guard.get("/en-vivo/inside", query_string={"after": before})
    assert events_of(answer.text) == []
    assert f"id: {house.desks.bulletin.known()}\n" in answer.text


def test_ten_thousand_entries_are_one_change(house: House) -> None:
    guard, before = house.client(Role.GUARDIA), house.desks.bulletin.known()
    with house.store.begin() as tx:
        for _ in range(10_000):
            tx.record(Fact.DOOR_OPENED, at=house.clock(), actor=SYSTEM, door="cd-1")
        tx.commit()
    answer = guard.get("/en-vivo/inside", query_string={"after": before})
    assert events_of(answer.text) == [("changed", before + 10_000)]


def test_a_page_that_knows_more_than_a_restored_record_is_drawn_anew(house: House) -> None:
    answer = house.client(Role.GUARDIA).get("/en-vivo/doors", headers={"Last-Event-ID": "999999"})
    assert events_of(answer.text) == [(name, house.desks.bulletin.known()) for name in ("changed", "alarms")]


def test_the_head_of_a_page_alone_gets_a_short_answer(house: House) -> None:
    guard, before = house.client(Role.GUARDIA), house.desks.bulletin.known()
    rings(house, "a")
    rings(house, "b")
    began = time.monotonic()
    answer = guard.get("/en-vivo/count", query_string={"after": before})
    assert time.monotonic() - began < house.settings.stream_lasts.total_seconds()
    assert events_of(answer.text) == [("alarms", house.desks.bulletin.known())]
    assert "data: 2\n" in answer.text
    assert 'data-live-none title="alarmas abiertas">2</span>' in guard.get("/visitas/").text


def test_who_may_follow_what(house: House) -> None:
    reception, secretary = house.client(Role.RECEPCION), house.client(Role.SECRETARIA_INFRA)
    rings(house, "a")
    assert secretary.get("/en-vivo/inside?after=0").status_code == 403
    assert reception.get("/en-vivo/doors?after=0").status_code == 403
    assert reception.get("/en-vivo/alarms?after=0").status_code == 403
    assert "event: alarms" not in reception.get("/en-vivo/count?after=0").text
    assert "event: alarms" not in reception.get("/en-vivo/inside?after=0").text
    assert reception.get("/en-vivo/nothing").status_code == 404
    assert house.app.test_client().get("/en-vivo/inside").status_code == 303
    assert "data-live" not in secretary.get("/").text


def test_a_stream_of_nobody_ends_and_begins_no_session(house: House) -> None:
    """It may be under way while somebody signs in again: a page of its own would put its form token in their cookie."""
    answer = house.app.test_client().get("/en-vivo/inside?after=0", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.text) == (401, "")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.browser
def test_somebody_who_enters_appears_without_reloading(page: Page, house: House, address: str) -> None:
    enter(page, address, Role.GUARDIA)
    page.goto(f"{address}/adentro/")
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#inside")).not_to_contain_text(house.user.full_name)
    goes_in(house, house.user)
    expect(page.locator("#inside")).to_contain_text(house.user.full_name, timeout=SOON_MS)
    assert page.evaluate("window.sameDocument") is True


@pytest.mark.browser
def test_an_alarm_shows_at_the_head_and_in_the_list_without_reloading(page: Page, house: House, address: str) -> None:
    enter(page, address, Role.GUARDIA)
    count = page.locator(".places .tally")
    expect(count).to_be_hidden()
    page.goto(f"{address}/alarmas/")
    rings(house, "cd-1")
    expect(page.locator("#alarms")).to_contain_text("Puerta forzada", timeout=SOON_MS)
    expect(count).to_have_text("1")
    page.goto(f"{address}/visitas/")  # follows the number alone
    rings(house, "sub-1")
    expect(count).to_have_text("2")


@pytest.mark.browser
def test_a_page_whose_session_ended_leads_to_the_sign_in_page(page: Page, house: House, address: str) -> None:
    enter(page, address, Role.GUARDIA)
    page.goto(f"{address}/adentro/")
    page.context.clear_cookies()
    goes_in(house, house.user)
    expect(page).to_have_url(re.compile("/entrar"))
