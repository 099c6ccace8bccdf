"""A session is an account and its epoch: it ends with either, with the day, and with the browser that began it."""

import re

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.services.store import EventFilter
from tests.web.house import PASSWORD, House, post


def test_wrong_names_and_passwords_get_one_answer_and_the_name_stays(house: House) -> None:
    client = house.app.test_client()
    unknown = post(client, "/entrar", username="nadie", password="x" * 20)
    wrong = post(client, "/entrar", username="recepcion", password="x" * 20)
    assert unknown.status_code == wrong.status_code == 401
    assert "El usuario o la contraseña no coinciden." in unknown.text
    assert 'value="recepcion"' in wrong.text
    assert "x" * 20 not in wrong.text


def test_guessing_is_throttled_and_says_for_how_long(house: House) -> None:
    client = house.app.test_client()
    for _ in range(5):
        assert post(client, "/entrar", username="recepcion", password="x" * 20).status_code == 401
    held = post(client, "/entrar", username="recepcion", password=PASSWORD)
    assert held.status_code == 429
    seconds = int(held.headers["Retry-After"])
    assert f"Espere {seconds} segundos" in held.text
    house.clock.forward(seconds=seconds + 1)
    assert post(client, "/entrar", username="recepcion", password=PASSWORD).status_code == 303


def test_a_disabled_account_is_out_at_its_next_request(house: House) -> None:
    client = house.client(Role.RECEPCION)
    assert client.get("/").status_code == 200
    house.desks.accounts.disable(SYSTEM, "recepcion", reason="prueba")
    assert client.get("/").status_code == 303
    assert "José" not in client.get("/personas/").text


def test_a_removed_person_is_out_of_the_panel_too(house: House) -> None:
    client = house.client(Role.RECEPCION)
    head = house.people[Role.JEFE]
    gone = house.people[Role.RECEPCION]
    house.desks.removals.request(house.actor(Role.JEFE), person=gone.id, requested_by=head.id, reason="Traslado")
    assert client.get("/").status_code == 303


def test_a_session_lasts_a_working_day(house: House) -> None:
    client = house.client(Role.RECEPCION)
    house.clock.forward(hours=9)
    assert client.get("/").status_code == 200
    house.clock.forward(hours=2)
    assert client.get("/").status_code == 303


def test_signing_out_ends_it(house: House) -> None:
    client = house.client(Role.RECEPCION)
    assert post(client, "/salir").headers["Location"] == "/entrar"
    assert client.get("/").status_code == 303


def test_a_cookie_that_moves_to_another_browser_is_worth_nothing(house: House) -> None:
    client = house.client(Role.RECEPCION)
    cookie = client.get_cookie("accessctl")
    assert cookie is not None
    other = house.app.test_client()
    other.set_cookie("accessctl", cookie.value)
    assert other.get("/", headers={"User-Agent": "otro"}).status_code == 303


def test_a_forged_or_altered_cookie_is_worth_nothing(house: House) -> None:
    client = house.client(Role.RECEPCION)
    cookie = client.get_cookie("accessctl")
    assert cookie is not None
    for value in ("x", "", cookie.value[:-2] + "AA", "a.b.c", "eyJfdXNlcl9pZCI6IjEifQ.aaaa.bbbb"):
        other = house.app.test_client()
        other.set_cookie("accessctl", value)
        assert other.get("/").status_code == 303


def test_the_cookie_is_closed_to_scripts_and_other_sites(house: House) -> None:
    answer = post(house.app.test_client(), "/entrar", username="recepcion", password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_what_the_visitor_carried_in_is_dropped_at_sign_in(house: House) -> None:
    client = house.app.test_client()
    before = re.search(r'csrf-token" content="([^"]+)"', client.get("/entrar").text)
    post(client, "/entrar", username="recepcion", password=PASSWORD)
    assert before is not None
    stale = client.post("/salir", data={"csrf_token": before.group(1)})
    assert stale.status_code == 400
    assert client.get("/").status_code == 200


def test_whoever_knows_the_old_password_changes_it_and_the_other_sessions_end(house: House) -> None:
    here, there = house.client(Role.GUARDIA), house.client(Role.GUARDIA)
    new = "otra frase bien larga"
    assert post(here, "/clave", old=PASSWORD, new=new, repeated=new).headers["Location"] == "/"
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303
    again = house.app.test_client()
    assert post(again, "/entrar", username="guardia", password=PASSWORD).status_code == 401
    assert post(again, "/entrar", username="guardia", password=new).status_code == 303
    with house.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(events=(Fact.ACCOUNT_PASSWORD_CHANGED.value,)))
        assert (row.actor, row.person) == (house.accounts[Role.GUARDIA], house.people[Role.GUARDIA].id)


def test_a_wrong_old_password_changes_nothing_and_guessing_it_is_throttled(house: House) -> None:
    client = house.client(Role.GUARDIA)
    new = "otra frase bien larga"
    for old, other, status in ((PASSWORD, "x" * 20, 409), (PASSWORD, PASSWORD, 409), (PASSWORD, "corta", 409)):
        assert post(client, "/clave", old=old, new=other, repeated=other).status_code == status
    assert "otra vez" in post(client, "/clave", old=PASSWORD, new=new, repeated="x").text
    for _ in range(5):
        assert post(client, "/clave", old="x" * 20, new=new, repeated=new).status_code == 401
    held = post(client, "/clave", old=PASSWORD, new=new, repeated=new)
    assert held.status_code == 429
    assert new not in held.text
    house.clock.forward(minutes=16)
    assert post(client, "/clave", old=PASSWORD, new=new, repeated=new).status_code == 303
