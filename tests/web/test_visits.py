"""Visits through the pages, without a browser: every act as its person, what each is refused, papers, kiosk, zones."""

import io
import re

import pytest
from flask.testing import FlaskClient

from accessctl.domain.facts import Fact
from accessctl.domain.people import SYSTEM, Role
from accessctl.services.visit_differences import KINDS
from accessctl_web.names import DIFFERENCES
from tests.documents.samples import text
from tests.web.house import House, dpi, post
from tests.web.visiting import DOCUMENT, INK, LAPTOP, SWITCH, VISITOR, entry, goes_in, pool_card, visit_at

PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF"
ATTEND = (Role.RECEPCION, Role.TECNICO_INFRA, Role.TECNICO_TELECOM, Role.GUARDIA)
SEE = (*ATTEND, Role.JEFE, Role.AUDITOR, Role.ADMIN)
FIELDS = {
    "name": VISITOR,
    "organisation": "Redes del Sur, S. A.",
    "purpose": "Cambio de un conmutador",
    "zone": "cdatos",
    "valid_from": "2026-11-24T08:00",
    "valid_until": "2026-11-24T16:30",
}


def follow(client: FlaskClient, path: str, **fields: object) -> str:
    answer = post(client, path, **fields)
    assert answer.status_code == 303, answer.text
    return client.get(answer.headers["Location"]).text


def test_from_the_authorisation_to_the_recorded_exit(house: House) -> None:
    head, technician, reception = (
        house.client(Role.JEFE),
        house.client(Role.TECNICO_INFRA),
        house.client(Role.RECEPCION),
    )
    pool_card(house)
    made = post(head, "/visitas/nueva", **FIELDS)
    assert made.status_code == 303, made.text
    visit = made.headers["Location"]
    data = {
        "document_kind": "dpi",
        "document_number": DOCUMENT,
        "name": VISITOR,
        "organisation": "Redes del Sur, S. A.",
        "description": [SWITCH.description, "", LAPTOP.description],
        "serial": [SWITCH.serial, "", LAPTOP.serial],
        "third_party": "si",
        "escort": house.people[Role.TECNICO_INFRA].id,
        "briefed": "1",
    }
    page = follow(technician, f"{visit}/datos", **data)
    assert "Datos registrados." in page
    assert SWITCH.serial in page
    assert "<polyline" in follow(reception, f"{visit}/firma", strokes=INK, width="600", height="220")
    card = re.search(r'<option value="([0-9a-f]+)">V-01', reception.get(visit).text)
    assert card is not None
    assert "Tarjeta entregada a la visita." in follow(reception, f"{visit}/tarjeta", card=card.group(1))
    late = follow(technician, f"{visit}/ingreso-tardio", entered_at="2026-11-24T08:00", folio="C-000007")
    assert "C-000007" in late
    assert "anotado después" in late
    assert "Actividades anotadas." in follow(technician, f"{visit}/actividades", activities="Se cambió el conmutador")
    early = post(technician, f"{visit}/salida/anotar")
    assert early.status_code == 409
    assert "Antes falta P4 paso 07" in early.text
    fields = {"leaves": ["1"], "description": ["Conmutador viejo"], "serial": ["FOC0000A000"]}
    page = follow(technician, f"{visit}/salida/comprobar", **fields)
    assert "no salió" in page
    assert "salió y no había entrado" in page
    held = post(technician, f"{visit}/salida/anotar")
    assert held.status_code == 409
    assert "devolución de la tarjeta de visita" in held.text
    assert "Tarjeta de visita recibida." in follow(technician, f"{visit}/tarjeta/devuelta")
    assert "la visita queda cerrada" in follow(technician, f"{visit}/salida/anotar")
    day = house.client(Role.GUARDIA).get("/visitas/diferencias/").text
    for kind in ("entry_without_reader", "exit_line_without_reader", "equipment"):
        assert DIFFERENCES[kind] in day
    assert "C-000007" in day  # a folio that nobody reserved


@pytest.mark.parametrize("step", [2, 4, 5, 7, 8, 9])
def test_a_visit_shows_at_every_step_to_everybody_concerned(house: House, step: int) -> None:
    visit = visit_at(house, step=step)
    house.clock.forward(minutes=1)
    for role in SEE:
        page = house.client(role).get(f"/visitas/{visit}")
        assert page.status_code == 200, (role, page.text)
        assert VISITOR in page.text
        listed = house.client(role).get("/visitas/").text
        assert f"/visitas/{visit}" in listed
    assert house.client(Role.SECRETARIA_INFRA).get(f"/visitas/{visit}").status_code == 403


def test_an_act_is_offered_only_to_whoever_may(house: House) -> None:
    offered = {
        2: ("/datos", {Role.TECNICO_INFRA, Role.TECNICO_TELECOM}),
        4: ("/firma-en-papel", set(ATTEND)),
        5: ("/boleta", set(ATTEND)),
        7: ("/salida/comprobar", {Role.TECNICO_INFRA}),
        8: ("/salida/anotar", {Role.TECNICO_INFRA, Role.TECNICO_TELECOM}),
    }
    for step, (action, may) in offered.items():
        visit = visit_at(house, step=step, name=f"Persona {step}", document=dpi(62_000_000 + step * 13))
        shown = {role for role in SEE if f"{visit}{action}" in house.client(role).get(f"/visitas/{visit}").text}
        assert shown == may, step


def test_a_refused_form_comes_back_with_everything_that_was_typed(house: House) -> None:
    technician = house.client(Role.TECNICO_INFRA)
    visit = visit_at(house, step=2)
    fields = {
        "document_kind": "dpi",
        "document_number": "1234567880101",
        "description": ["<b>Equipo"],
        "serial": ["S-9"],
    }
    answer = post(technician, f"/visitas/{visit}/datos", third_party="no", name="Otro Nombre", **fields)
    assert answer.status_code == 409
    assert "documento de identidad no es válido" in answer.text
    for kept in (
        'value="1234567880101"',
        "&lt;b&gt;Equipo",
        'value="S-9"',
        'value="Otro Nombre"',
        'value="no" checked',
    ):
        assert kept in answer.text
    head = house.client(Role.JEFE)
    window = post(head, "/visitas/nueva", **{**FIELDS, "valid_until": "2026-11-24T07:00"})
    assert window.status_code == 409
    assert "fin de la vigencia" in window.text
    assert 'value="2026-11-24T07:00"' in window.text
    for wrong in ("mañana", "2026-11-24T08:00+05:00", "0001-01-01T00:00"):
        answer = post(head, "/visitas/nueva", **{**FIELDS, "valid_until": wrong})
        assert answer.status_code == 409, wrong


def test_more_equipment_than_a_visit_may_have_is_refused(house: House) -> None:
    visit = visit_at(house, step=2)
    client = house.client(Role.TECNICO_INFRA)
    csrf = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/visitas/").text)
    assert csrf is not None
    rows = {"description": ["Cable"] * 101, "serial": [""] * 101}
    answer = client.post(f"/visitas/{visit}/datos", data={"csrf_token": csrf.group(1), "document_kind": "dpi", **rows})
    assert answer.status_code == 409
    assert "Falta un dato: equipo." in answer.text


def test_a_fortuitous_entry_is_flagged_until_its_authority_regularises_it(house: House) -> None:
    technician, head = house.client(Role.TECNICO_INFRA), house.client(Role.JEFE)
    fields = {**FIELDS, "authority": house.people[Role.JEFE].id, "reason": "Fuga de agua <i>"}
    made = post(technician, "/visitas/fortuito", **fields)
    assert made.status_code == 303, made.text
    visit = made.headers["Location"]
    for page in (technician.get(visit).text, technician.get("/visitas/").text):
        assert "fortuita, sin regularizar" in page
    assert "Fuga de agua &lt;i&gt;" in head.get(visit).text
    assert "/regularizar" not in technician.get(visit).text
    assert post(technician, f"{visit}/regularizar", comment="Lo confirmo").status_code == 403
    assert DIFFERENCES["fortuitous"] in technician.get("/visitas/diferencias/").text
    assert "Ingreso fortuito regularizado." in follow(head, f"{visit}/regularizar", comment="Lo confirmo")
    assert "fortuita, regularizada" in head.get("/visitas/").text
    own = post(technician, "/visitas/fortuito", **{**fields, "authority": house.people[Role.TECNICO_INFRA].id})
    assert own.status_code == 403
    assert "N4.2" in own.text


def test_own_staff_go_in_without_signature_and_their_exit_is_recorded(house: House) -> None:
    technician = house.client(Role.TECNICO_INFRA)
    other = house.people[Role.TECNICO_TELECOM]
    made = post(house.client(Role.JEFE), "/visitas/nueva", **{**FIELDS, "name": "", "visitor": other.id})
    visit = made.headers["Location"]
    data = {"document_kind": "dpi", "document_number": other.document.number, "third_party": "no"}
    page = follow(technician, f"{visit}/datos", **data)
    assert "personal propio, puede entrar" in page
    assert page.count("no aplica: personal propio") == 4
    follow(technician, f"{visit}/ingreso-tardio", entered_at="2026-11-24T08:00", folio="C-1")
    assert "la visita queda cerrada" in follow(technician, f"{visit}/salida/anotar", exited_at="2026-11-24T08:00")


def test_a_visit_to_the_premises_is_received_by_reception_and_its_host(house: House) -> None:
    reception = house.client(Role.RECEPCION)
    host = house.people[Role.TECNICO_INFRA].id
    visit = house.desks.visits.authorise(house.actor(Role.JEFE), entry(house, zone="subgerencia", host=host))
    data = {"document_kind": "pasaporte", "document_number": "GT1234567", "third_party": "si"}
    page = follow(reception, f"/visitas/{visit}/datos", **data)
    assert "N10.5" in page
    assert "P4.02" not in page
    scan = (io.BytesIO(PDF), "hoja.pdf")
    page = follow(reception, f"/visitas/{visit}/firma-en-papel", form=scan, folio="12")
    assert "hoja.pdf" in page


def test_a_hand_over_needs_somebody_entitled(house: House) -> None:
    technician = house.client(Role.TECNICO_INFRA)
    visit = visit_at(house, step=5)
    refused = post(technician, f"/visitas/{visit}/relevo", relief=house.people[Role.JEFE].id)
    assert refused.status_code == 409
    assert "N4.3" in refused.text
    page = follow(technician, f"/visitas/{visit}/relevo", relief=house.people[Role.TECNICO_TELECOM].id)
    assert "Relevo registrado." in page
    assert "Wilson Chex Morales" in page


def test_the_pool_is_kept_by_who_manages_cards(house: House) -> None:
    technician = house.client(Role.TECNICO_INFRA)
    assert "V-07" in follow(technician, "/visitas/tarjetas/", typed="0025489530", format="em4100", label="V-07")
    again = post(technician, "/visitas/tarjetas/", typed="0025489530", format="em4100", label="V-08")
    assert again.status_code == 409
    (card,) = house.desks.visitor_cards.free()
    assert post(house.client(Role.GUARDIA), f"/visitas/tarjetas/{card.id}/retirar").status_code == 403
    assert "Tarjeta retirada" in follow(technician, f"/visitas/tarjetas/{card.id}/retirar")
    visit = visit_at(house, step=5)
    lost = pool_card(house)
    follow(technician, f"/visitas/{visit}/tarjeta", card=lost.id)
    assert "sin devolver" in follow(technician, f"/visitas/{visit}/tarjeta/perdida", why="Se fue con ella")
    assert "Tarjeta de visita recibida." in follow(technician, f"/visitas/tarjetas/{lost.id}/recibir")


def test_the_badge_of_a_slip_and_the_muster_list_are_printed(house: House) -> None:
    guard = house.client(Role.GUARDIA)
    visit = visit_at(house, step=5)
    none = guard.get(f"/visitas/{visit}/gafete.pdf")
    assert none.status_code == 409
    follow(guard, f"/visitas/{visit}/boleta")
    badge = guard.get(f"/visitas/{visit}/gafete.pdf")
    assert badge.mimetype == "application/pdf"
    said = text(badge.data)
    for expected in (VISITOR, "Centro de Datos", "Byron Estuardo Tzul", "24/11/2026 08:00 – 16:00", "QR-1"):
        assert expected in said, said
    assert badge.data == guard.get(f"/visitas/{visit}/gafete.pdf").data
    goes_in(house, Role.TECNICO_INFRA, "cdatos")
    listed = text(guard.get("/adentro/lista.pdf").data)
    assert "Byron Estuardo Tzul" in listed
    assert "Por encontrar" in listed
    assert guard.get("/adentro/lista.pdf?zona=x").status_code == 404


def test_the_days_register_has_a_line_for_each_visit_with_its_fourteen_fields(house: House) -> None:
    guard = house.client(Role.GUARDIA)
    visit_at(house, step=9)
    declared = entry(house, name="Bombero Municipal")
    technician, head = house.actor(Role.TECNICO_INFRA), house.people[Role.JEFE]
    house.desks.visits.declare_fortuitous(technician, declared, authority=head.id, reason="Fuga de agua")
    house.clock.forward(minutes=1)
    said = text(guard.get("/visitas/registro.pdf?dia=2026-11-24").data)
    for expected in (DOCUMENT, SWITCH.serial, "24/11", "Anotado después, folio C-000001", "P-123BCD", "SHA-256"):
        assert expected in said, said
    assert "Ingreso fortuito (N4.2), SIN REGULARIZAR: Fuga de agua" in said
    assert DOCUMENT not in text(guard.get("/visitas/registro.pdf?dia=2026-11-23").data)
    assert DOCUMENT not in text(guard.get("/visitas/registro.pdf?zona=subgerencia").data)
    assert guard.get("/visitas/registro.pdf?zona=x").status_code == 404
    assert guard.get("/visitas/registro.pdf?dia=ayer").status_code == 409


def test_contingency_folios_are_reserved_once_and_missed_where_they_do_not_come_back(house: House) -> None:
    guard = house.client(Role.GUARDIA)
    assert "Folio C-000001" in text(post(guard, "/visitas/folios", folios="2").data)
    assert "Folio C-000003" in text(post(guard, "/visitas/folios", folios="3").data)
    for wrong in ("0", "51", "-1", ""):
        assert post(guard, "/visitas/folios", folios=wrong).status_code == 409
    technician = house.actor(Role.TECNICO_INFRA)
    visit = visit_at(house, step=5)
    house.desks.escort.record_entry(technician, visit, at=house.clock(), folio="c-3")
    page = guard.get("/visitas/diferencias/").text
    assert "C-000001, C-000002" in page
    assert "C-000004" not in page


def test_a_spoiled_folio_is_void_with_its_reason_and_not_missed(house: House) -> None:
    guard, auditor = house.client(Role.GUARDIA), house.client(Role.AUDITOR)
    post(guard, "/visitas/folios", folios="5")
    technician = house.actor(Role.TECNICO_INFRA)
    visit = visit_at(house, step=5)
    house.desks.escort.record_entry(technician, visit, at=house.clock(), folio="C-000004")
    assert "C-000001, C-000002, C-000003" in guard.get("/visitas/diferencias/").text
    size = house.desks.watch.size()
    said = post(guard, "/visitas/diferencias/folios/anular", folio="c-2", why="Se mojó")
    assert said.status_code == 303
    entry = house.desks.watch.entry(house.actor(Role.AUDITOR), size)
    assert (entry.row.event, entry.row.norm) == (Fact.FOLIO_VOIDED.value, "N4.1")
    assert entry.row.actor == house.accounts[Role.GUARDIA]
    page = auditor.get("/visitas/diferencias/").text
    assert "C-000001, C-000003" in page
    for shown in ("C-000002", "Se mojó", "Rigoberto Cojón"):
        assert shown in page
    report = house.desks.folios.report(house.actor(Role.AUDITOR))
    assert (report.missing, [one.name for one in report.void]) == (("C-000001", "C-000003"), ["C-000002"])
    for folio, why, status, words in (
        ("C-000002", "Otra vez", 409, "Eso ya se hizo"),
        ("C-000004", "Está usado", 409, "Ya existe un registro con ese dato: folio"),
        ("C-000006", "Nadie lo reservó", 404, "No se encontró"),
        ("C-0", "Cero", 404, "No se encontró"),
        ("12", "No es de estos", 404, "No se encontró"),
        ("C-000003", " ", 409, "revise motivo"),
        ("C-" + "9" * 60, "Largo", 409, "revise folio"),
    ):
        size = house.desks.watch.size()
        refused = post(guard, "/visitas/diferencias/folios/anular", folio=folio, why=why)
        assert (refused.status_code, words in refused.text) == (status, True), folio
        assert house.desks.folios.report(house.actor(Role.AUDITOR)) == report
        assert house.desks.watch.size() == size + 1  # the refusal
    assert post(auditor, "/visitas/diferencias/folios/anular", folio="C-1", why="x").status_code == 403


def test_a_void_folio_that_a_visit_names_all_the_same_is_reported(house: House) -> None:
    guard = house.client(Role.GUARDIA)
    post(guard, "/visitas/folios", folios="2")
    post(guard, "/visitas/diferencias/folios/anular", folio="C-000001", why="Roto")
    house.desks.escort.record_entry(
        house.actor(Role.TECNICO_INFRA), visit_at(house, step=5), at=house.clock(), folio="C-000001"
    )
    page = guard.get("/visitas/diferencias/").text
    assert "Anulados y, aun así, nombrados por una visita" in page


def test_differences_have_their_names_and_a_day_that_is_none_shows_today(house: House) -> None:
    assert set(KINDS) == set(DIFFERENCES)
    guard = house.client(Role.GUARDIA)
    for day in ("ayer", "2026-13-01", "9999-12-31", "0001-01-01"):
        page = guard.get(f"/visitas/diferencias/?dia={day}")
        assert page.status_code == 200, day
        assert 'value="2026-11-24"' in page.text


def test_the_kiosk_finds_only_todays_visits_and_only_by_three_characters(house: House) -> None:
    reception = house.client(Role.RECEPCION)
    visit = visit_at(house, step=4)
    for text_, found in (("lui", True), ("ixcoy luis", True), (DOCUMENT[:6], True), ("lu", False), ("ana", False)):
        page = reception.get(f"/kiosco/?q={text_}").text
        assert (f"/kiosco/{visit}" in page) == found, text_
        assert DOCUMENT not in page
    page = reception.get(f"/kiosco/{visit}").text
    assert 'href="/solicitudes/"' not in page
    assert 'href="/"' not in page
    assert house.client(Role.JEFE).get("/kiosco/").status_code == 403


def test_at_the_kiosk_the_briefing_is_read_and_the_register_signed(house: House) -> None:
    reception = house.client(Role.RECEPCION)
    visit = visit_at(house, step=2)
    assert "Espere un momento" in reception.get(f"/kiosco/{visit}").text
    assert post(reception, f"/kiosco/{visit}").status_code == 409
    technician = house.client(Role.TECNICO_INFRA)
    follow(technician, f"/visitas/{visit}/datos", document_kind="dpi", document_number=DOCUMENT, third_party="si")
    assert house.desks.visit_files.file(house.actor(Role.JEFE), visit).line.visit.briefed_at is None
    assert "Firme su ingreso" in follow(reception, f"/kiosco/{visit}")
    assert house.desks.visit_files.file(house.actor(Role.JEFE), visit).line.visit.briefed_at == house.clock()
    empty = post(reception, f"/kiosco/{visit}/firma", strokes="[]", width="600", height="220")
    assert empty.status_code == 409
    assert "Firme su ingreso" in empty.text
    assert 'name="back" value="/kiosco/"' in empty.text  # the language changes, and the kiosk stays the kiosk
    done = follow(reception, f"/kiosco/{visit}/firma", strokes=INK, width="600", height="220")
    assert "Byron Estuardo Tzul" in done


def test_who_is_inside_and_what_may_be_done_about_the_zone(house: House) -> None:
    guard, technician = house.client(Role.GUARDIA), house.client(Role.TECNICO_INFRA)
    goes_in(house, Role.TECNICO_INFRA, "cdatos")
    house.clock.forward(minutes=3)
    page = guard.get("/adentro/").text
    assert "Byron Estuardo Tzul" in page
    assert "hace 3 min 00 s" in page
    assert 'data-live="/en-vivo/inside"' in page
    person = house.people[Role.TECNICO_INFRA].id
    assert "dudosa" in follow(guard, f"/adentro/personas/{person}/perdonar")
    assert "ingreso bloqueado" in follow(guard, "/adentro/zonas/cdatos/bloquear", why="Humo")
    twice = post(guard, "/adentro/zonas/cdatos/bloquear", why="Humo")
    assert twice.status_code == 409
    assert "Ingreso reabierto." in follow(guard, "/adentro/zonas/cdatos/reabrir")
    house.desks.zones.fire_reported(device="cd-panel", door="cd-1", at=house.clock())
    assert "Alarma de incendio" in guard.get("/adentro/").text
    assert "Fin de la alarma" in follow(guard, "/adentro/zonas/subgerencia/fin-de-incendio")
    saved = follow(technician, "/adentro/zonas/cdatos/reglas", occupancy_limit="5", anti_passback="hard")
    assert "aforo 5" in saved
    for wrong in ({"occupancy_limit": "-1", "anti_passback": "hard"}, {"occupancy_limit": "5", "anti_passback": "x"}):
        assert post(technician, "/adentro/zonas/cdatos/reglas", **wrong).status_code == 409
    assert post(guard, "/adentro/zonas/cdatos/reglas", occupancy_limit="0", anti_passback="off").status_code == 403
    assert "Byron Estuardo Tzul" in guard.get("/adentro/lista").text
    follow(guard, "/adentro/zonas/subgerencia/conteo")
    assert "dudosa" in guard.get("/adentro/lista").text  # nobody looked into the inner zone
    follow(guard, "/adentro/zonas/cdatos/conteo", gone=[person])
    parts = {part.zone: [one.person for one in part.lines] for part in house.desks.zones.muster(SYSTEM).parts}
    assert parts == {"subgerencia": [person], "cdatos": []}  # not in the inner zone: still in the one around it


def test_a_visitor_whose_escort_is_elsewhere_is_marked(house: House) -> None:
    guard = house.client(Role.GUARDIA)
    visit_at(house, step=7)
    assert "no está con la visita" in guard.get("/adentro/").text
    goes_in(house, Role.TECNICO_INFRA, "subgerencia")
    assert "no está con la visita" in guard.get("/adentro/").text
    goes_in(house, Role.TECNICO_INFRA, "cdatos")
    assert "no está con la visita" not in guard.get("/adentro/").text
