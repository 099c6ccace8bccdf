"""The printed register and the record, compared on a page: by click, by a file, and never by whoever may not."""

import io

from accessctl.domain.facts import Fact
from accessctl.domain.people import Role
from accessctl.services.register_comparison import LARGEST_PAPER
from accessctl.services.store import EventFilter
from tests.web.house import House, post
from tests.web.visiting import visit_at

PAGE = "/visitas/registros-impresos/"


def test_a_printed_register_is_compared_line_by_line(house: House) -> None:
    visit = visit_at(house, step=8)
    auditor = house.client(Role.AUDITOR)
    assert "Todavía no se ha impreso" in auditor.get(PAGE).text
    assert auditor.get("/visitas/registro.pdf").data.startswith(b"%PDF")
    (number,) = [one.number for one in house.desks.register_comparison.printings(house.actor(Role.AUDITOR))]
    assert f"{PAGE}{number}" in auditor.get(PAGE).text
    assert "1 de 1 líneas dicen lo mismo." in post(auditor, f"{PAGE}{number}").text
    sheet = post(auditor, f"{PAGE}{number}/lineas.csv").text
    house.desks.escort.record_exit(house.actor(Role.TECNICO_INFRA), visit)
    assert "El registro cambió después de imprimirse" in post(auditor, f"{PAGE}{number}").text
    forged = sheet.replace("Redes del Sur", '<script>alert("1")</script>').replace('alert("1")', "alert(1)")
    found = post(auditor, f"{PAGE}{number}", paper=(io.BytesIO(forged.encode()), "papel.csv"))
    assert "El papel ya no dice lo que se imprimió" in found.text
    assert "<script>alert" not in found.text
    with house.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(events=(Fact.VISIT_REGISTER_COMPARED.value,)), limit=1, newest=True)
    assert row.actor == house.accounts[Role.AUDITOR]


def test_what_is_no_sheet_or_nobodys_business_is_refused(house: House) -> None:
    auditor = house.client(Role.AUDITOR)
    auditor.get("/visitas/registro.pdf")
    number = house.desks.register_comparison.printings(house.actor(Role.AUDITOR))[0].number
    for content, said in (
        (b"PK\x03\x04", "Falta un dato: una columna de nombre línea, visita o folio"),
        ("año,línea\n1,2\n".encode(), "y solo las de la lista"),
        (b"", "revise el archivo: un CSV"),
        (b"\x81", "revise el archivo: un CSV"),
        (b"x" * (LARGEST_PAPER + 1), "revise el archivo: un CSV"),
    ):
        answer = post(auditor, f"{PAGE}{number}", paper=(io.BytesIO(content), "x.csv"))
        assert answer.status_code == 409
        assert said in answer.text
    assert post(auditor, f"{PAGE}{number + 1}").status_code == 404
    assert post(auditor, f"{PAGE}99999999999999999999").status_code == 404
    assert post(house.client(Role.RECEPCION), f"{PAGE}{number}").status_code == 403
    assert post(house.client(Role.GUARDIA), f"{PAGE}{number}/lineas.csv").status_code == 403
