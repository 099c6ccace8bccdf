"""Denied unless said: the whole URL map is walked, as nobody, and as somebody without the permission."""

import re

import pytest
from flask import Flask

from accessctl.domain.people import ROLE_PERMISSIONS, Permission, Role
from accessctl_web.access import EVERYBODY, PUBLIC, asked_of, needs
from tests.web.house import CAST, PASSWORD, House, post, token

OPEN = {"static", "sign_in.show", "sign_in.sign_in", "sign_in.language"}
FOR_ALL_SIGNED_IN = {"home.show", "sign_in.sign_out", "sign_in.password", "sign_in.change_password"}


def addresses(app: Flask) -> list[tuple[str, str, str]]:
    """Every rule as (endpoint, method, an address that it matches)."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", "x", re.sub(r"<int:[^<>]+>", "1", rule.rule))
        found += [(rule.endpoint, method, path) for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})]
    return found


def test_every_route_says_what_it_needs(house: House) -> None:
    for endpoint, view in house.app.view_functions.items():
        asked = asked_of(view)
        assert asked is not None, f"{endpoint} says nothing: nobody may open it"
        assert (asked == PUBLIC) == (endpoint in OPEN), endpoint
        assert (asked == EVERYBODY) == (endpoint in FOR_ALL_SIGNED_IN), endpoint


def test_nobody_gets_content_anywhere(house: House) -> None:
    anonymous = house.app.test_client()
    for endpoint, method, path in addresses(house.app):
        if endpoint in OPEN:
            continue
        answer = anonymous.open(path, method=method)
        if method == "GET":
            assert answer.status_code == 303, (path, answer.status_code)
            assert answer.headers["Location"].startswith("/entrar")
        else:
            assert answer.status_code == 401, (path, answer.status_code)
        for person in house.people.values():
            assert person.full_name not in answer.text


def test_a_role_without_the_permission_is_refused_on_every_route(house: House) -> None:
    for role in CAST:
        client = house.client(role)
        csrf = token(client)
        may = ROLE_PERMISSIONS[role]
        for endpoint, method, path in addresses(house.app):
            asked = asked_of(house.app.view_functions[endpoint]) or frozenset()
            if endpoint in OPEN | FOR_ALL_SIGNED_IN or asked & may:
                continue
            answer = client.open(path, method=method, data={"csrf_token": csrf} if method == "POST" else None)
            assert answer.status_code == 403, (role, path)


def test_a_view_without_a_mark_is_refused_to_everybody(house: House) -> None:
    house.app._got_first_request = False
    house.app.add_url_rule("/olvidada", "forgotten", lambda: "secreto")
    for client in (house.app.test_client(), house.client(Role.ADMIN)):
        answer = client.get("/olvidada")
        assert answer.status_code == 403
        assert "secreto" not in answer.text


def test_a_view_must_need_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        needs()
    assert asked_of(needs(Permission.DOORS_SEE)(lambda: "")) == frozenset({Permission.DOORS_SEE})


def test_the_refusal_names_the_roles_that_may(house: House) -> None:
    page = house.client(Role.GUARDIA).get("/cuentas/")
    assert page.status_code == 403
    assert "Esto le corresponde a otra función: Administración del sistema." in page.text


def test_signing_in_leads_back_to_where_one_was_going(house: House) -> None:
    client = house.app.test_client()
    asked = client.get("/solicitudes/?q=x")
    assert asked.headers["Location"] == "/entrar?next=/solicitudes/?q%3Dx"
    done = post(client, asked.headers["Location"], username="recepcion", password=PASSWORD)
    assert done.headers["Location"] == "/solicitudes/?q=x"


@pytest.mark.parametrize(
    "target",
    [
        "https://ejemplo.gt/",
        "//ejemplo.gt",
        "/\\ejemplo.gt",
        "\\\\ejemplo.gt",
        "javascript:alert(1)",
        "/%0d%0aX: y\r\n",
        "ejemplo.gt",
        "///ejemplo.gt",
        "/\t/ejemplo.gt",
    ],
)
def test_no_redirect_leads_out_of_the_panel(house: House, target: str) -> None:
    client = house.app.test_client()
    answer = client.post(
        "/entrar",
        query_string={"next": target},
        data={"csrf_token": token(client), "username": "recepcion", "password": PASSWORD},
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"
