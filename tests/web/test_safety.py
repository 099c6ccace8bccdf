"""What the panel does with what it should not believe: forms without token, bodies without end, hostile text."""

import io
import re
from html.parser import HTMLParser

import pytest

from accessctl.domain.people import Role
from accessctl.services.uploads import LARGEST
from accessctl_web.headers import CONTENT_SECURITY_POLICY
from tests.web.house import House, post, token
from tests.web.test_access import OPEN, addresses

HOSTILE = [
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "{{7*7}} {% raw %}",
    "' OR '1'='1",
    "%s%n%(x)s",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
]


def test_every_post_needs_the_token_of_its_session(house: House) -> None:
    admin, technician = house.client(Role.ADMIN), house.client(Role.TECNICO_INFRA)
    other = token(admin)
    for endpoint, method, path in addresses(house.app):
        if method != "POST":
            continue
        client = house.app.test_client() if endpoint in OPEN else technician
        for data in ({}, {"csrf_token": "x"}, {"csrf_token": other}):
            answer = client.post(path, data=data)
            assert answer.status_code in {400, 403}, (path, answer.status_code)
    assert technician.get("/").status_code == 200


def test_htmx_may_send_the_token_as_a_header(house: House) -> None:
    client = house.client(Role.RECEPCION)
    answer = client.post("/personas/elegir?field=beneficiary", headers={"X-CSRFToken": token(client)})
    assert answer.status_code == 200
    assert client.post("/personas/elegir?field=beneficiary").status_code == 400


def test_every_answer_carries_the_policy_and_is_not_kept(house: House) -> None:
    client = house.client(Role.RECEPCION)
    for path in ("/", "/entrar", "/nada", "/cuentas/", "/static/panel.css", "/personas/elegir?field=x"):
        answer = client.get(path)
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert "unsafe" not in CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        if not path.startswith("/static"):
            assert answer.headers["Cache-Control"] == "no-store"
        answer.close()


class Inline(HTMLParser):
    """Finds what the policy forbids: inline script and style, event attributes, things from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"{tag} {name}")
            if name in {"src", "href", "action"} and value and re.match(r"(?i)(https?:)?//|javascript:|data:", value):
                self.found.append(f"{tag} {name}={value}")
            if name.startswith("hx-vals") and value and value.startswith("js:"):
                self.found.append(f"{tag} {name}")


def test_no_page_has_anything_inline_or_foreign(house: House) -> None:
    case = house.case(step=3)
    for role, paths in {
        Role.TECNICO_INFRA: ("/", f"/solicitudes/{case}", "/tarjetas/", "/puertas", "/eventos", "/alarmas/"),
        Role.RECEPCION: ("/solicitudes/nueva", "/personas/nueva", "/bajas/nueva"),
        Role.ADMIN: ("/cuentas/", "/clave"),
        Role.AUDITOR: (
            "/registro/",
            "/registro/3",
            "/punto-de-control/",
            "/exportar/",
            "/informes/",
            "/informes/entries",
        ),
    }.items():
        client = house.client(role)
        for path in paths:
            page = Inline()
            page.feed(client.get(path).text)
            assert page.found == [], path


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_shown_as_text(house: House, text: str) -> None:
    person = house.person(text, position=text, department=text, number=60_000_000)
    case = house.case(step=7, user=person)
    head = house.people[Role.JEFE]
    removal = house.desks.removals.request(house.actor(Role.JEFE), person=person.id, requested_by=head.id, reason=text)
    client = house.client(Role.JEFE)
    for path in (
        "/solicitudes/?todas=1",
        f"/solicitudes/{case}",
        "/personas/",
        f"/personas/{person.id}",
        "/tarjetas/",
        "/tarjetas/pendientes",
        "/bajas/",
        f"/bajas/{removal}",
        "/eventos",
        "/registro/",
        f"/registro/{house.desks.watch.size() - 1}",
        "/informes/revocations",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text
        assert "<svg onload" not in page.text
        checked = Inline()
        checked.feed(page.text)
        assert checked.found == []


@pytest.mark.parametrize("text", [*HOSTILE, "\x00", "a" * 5000, "\u202e", "ñ" * 120])
def test_hostile_searches_are_searches(house: House, text: str) -> None:
    client = house.client(Role.JEFE)
    for path, name in (("/personas/", "q"), ("/solicitudes/", "q"), ("/eventos", "puerta"), ("/tarjetas/", "estado")):
        page = client.get(path, query_string={name: text})
        assert page.status_code == 200, (path, text)
        assert "<script>alert" not in page.text


def test_ids_that_are_no_ids_are_not_found(house: House) -> None:
    client = house.client(Role.TECNICO_INFRA)
    for path in ("/solicitudes/{}", "/personas/{}", "/tarjetas/{}", "/bajas/{}", "/lecturas/{}", "/huellas/{}"):
        for key in ("x", "a" * 3000, "' OR '1'='1", "%00"):
            answer = client.get(path.format(key))
            assert answer.status_code == 404, (path, key[:20], answer.status_code)


def test_a_scan_is_judged_by_its_bytes_and_comes_back_as_a_file_to_save(house: House) -> None:
    case = house.case(step=2, authorised=False)
    reception = house.client(Role.RECEPCION)
    page = (io.BytesIO(b"<html><script>alert(1)</script>"), "formulario.pdf", "application/pdf")
    refused = post(reception, f"/solicitudes/{case}/formulario", form=page)
    assert refused.status_code == 409
    assert "PDF, JPEG o PNG" in refused.text
    scan = (io.BytesIO(b"%PDF-1.7 <script>alert(1)</script>"), "../../<script>.html", "text/html")
    assert post(reception, f"/solicitudes/{case}/formulario", form=scan).status_code == 303
    shown = reception.get(f"/solicitudes/{case}").text
    link = re.search(r"/solicitudes/adjuntos/[0-9a-f]+", shown)
    assert link is not None
    saved = reception.get(link.group(0))
    assert saved.mimetype == "application/pdf"
    assert saved.headers["Content-Disposition"].startswith("attachment; ")
    assert "<" not in saved.headers["Content-Disposition"]


def test_bodies_are_bounded_before_they_are_read(house: House) -> None:
    big = b"x" * (1024 * 1024)
    anonymous = house.app.test_client()
    assert anonymous.post("/entrar", data={"username": big}).status_code == 413
    reception = house.client(Role.RECEPCION)
    assert reception.post("/personas/nueva", data={"full_name": big}).status_code == 413
    case = house.case(step=2, authorised=False)
    head = b'--cut\r\nContent-Disposition: form-data; name="form"; filename="a.pdf"\r\n\r\n%PDF-'
    huge = head + b"x" * (LARGEST + 1024 * 1024) + b"\r\n--cut--\r\n"
    answer = reception.post(
        f"/solicitudes/{case}/formulario", data=huge, content_type="multipart/form-data; boundary=cut"
    )
    assert answer.status_code == 413
    assert "demasiado grande" in answer.text
    full = head + b"x" * (LARGEST - 5) + b"\r\n--cut--\r\n"
    answer = reception.post(
        f"/solicitudes/{case}/formulario",
        data=full,
        content_type="multipart/form-data; boundary=cut",
        headers={"X-CSRFToken": token(reception)},
    )
    assert answer.status_code == 303
    many = "&".join(f"f{at}=1" for at in range(3000))
    answer = reception.post("/personas/nueva", data=many, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in {400, 413}


@pytest.mark.parametrize(
    "strokes", ["", "[]", "null", "{}", "[[1]]", "[[[1]]]", "x", "[" * 5000, '[[["a","b"]]]', "[[[1e999,0],[0,0]]]"]
)
def test_a_signature_that_is_none_is_refused_and_nothing_changes(house: House, strokes: str) -> None:
    case = house.case(step=4)
    technician = house.client(Role.TECNICO_INFRA)
    fields = {"strokes": strokes, "width": "600", "height": "220", "document_shown": house.user.document.number}
    answer = post(technician, f"/solicitudes/{case}/firma", **fields)
    assert answer.status_code == 409
    assert "P10.04" in answer.text
    assert house.user.document.number in answer.text
    assert house.desks.files.file(house.actor(Role.TECNICO_INFRA), case).line.step == 4


def test_a_bug_shows_a_reference_and_no_detail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **named: object) -> None:
        raise RuntimeError("secreto de adentro")

    client = house.client(Role.RECEPCION)
    monkeypatch.setattr(type(house.desks.people), "find", broken)
    answer = client.get("/personas/")
    assert answer.status_code == 500
    assert "secreto" not in answer.text
    assert re.search(r"Referencia: [0-9a-f]{8}", answer.text)
