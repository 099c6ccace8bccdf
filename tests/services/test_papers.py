"""Papers: what they say, when they are refused, and that each printing is on the record with the paper's digest."""

import hashlib
import io
from datetime import date, timedelta

import pytest
from pypdf import PdfReader

from accessctl.documents.press import Press
from accessctl.domain.cards import CardEvent
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.record import decode
from accessctl.services.papers import Papers
from accessctl.services.removal_desk import RemovalDesk
from accessctl.services.store import EventFilter
from accessctl.services.uploads import Upload
from tests.services.premises import START, Premises


@pytest.fixture
def papers(premises: Premises) -> Papers:
    return Papers(premises.office, Press(), premises.keeper)


def text(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def printings(premises: Premises) -> list[dict[str, object]]:
    with premises.store.view() as tx:
        found = tx.events.stream(EventFilter(events=(Fact.DOCUMENT_PRINTED.value,)))
        entries = [decode(data) for _, data in found]
    return [{"norm": entry["norm"], **dict(entry["data"])} for entry in entries]  # type: ignore[arg-type]  # an object


def last_refusal(premises: Premises) -> tuple[str, str]:
    with premises.store.view() as tx:
        row = tx.events.rows(EventFilter(events=(Fact.CASE_STEP_REFUSED.value,)), limit=1, newest=True)[0]
    return row.reason, row.norm


def test_a_receipt_says_who_authorised_who_configured_and_what_opens(premises: Premises, papers: Papers) -> None:
    person = premises.person("María José Ñandú")
    case = premises.request(person)
    premises.configure(case)
    pdf = papers.receipt_pdf(premises.actors["tecnico"], case)
    said = text(pdf)
    for expected in (
        "María José Ñandú",
        f"Pasaporte {person.document.number}",
        "0025489530",  # 0x0184F07A as the ten digits on the card
        "Centro de Datos, puerta 1",
        "Puerta principal",
        "Horario de oficina",
        "Julia Jerónimo, Jefa de departamento (autorización",
        "propia en el sistema) — 02/03/2026 08:00:02",
        "Tomás Tzul, Técnico en Infraestructura — 02/03/2026",
        "08:00:09",
        "01/03/2027",  # the last day, included
        "Firma de puño y letra",
        "P10.04-000001",
    ):
        assert expected in said, said
    assert "Siempre" not in said, "a choice that was replaced is not on the receipt"
    assert printings(premises) == [{"norm": "P10.04", "document": "receipt", "sha256": hashlib.sha256(pdf).hexdigest()}]


def test_a_signed_receipt_is_the_same_for_ever(premises: Premises, papers: Papers) -> None:
    case, person = premises.delivered()
    secretaria = premises.actors["secretaria"]
    first = papers.receipt_pdf(secretaria, case)
    said = text(first)
    with premises.store.view() as tx:
        signed = tx.events.rows(EventFilter(events=(Fact.RECEIPT_SIGNED.value,)), limit=1)[0]
        signature = tx.signatures.find(case=case)[0]
    assert f"Asiento {signed.index} del registro" in said
    assert signed.leaf.hex() in said.replace(" ", "")
    assert signature.sha256 in said.replace(" ", "")
    assert "Firma trazada en pantalla" in said
    premises.requests.inform(secretaria, case)
    RemovalDesk(premises.office).request(
        premises.actors["jefe"], person=person.id, requested_by=premises.actors["jefe"].person, reason="Traslado"
    )
    assert papers.receipt_pdf(secretaria, case) == first, "what was signed does not change when access ends"


def test_a_receipt_before_its_step_is_refused_by_name(premises: Premises, papers: Papers) -> None:
    case = premises.request(premises.person("Ana Xicay"))
    with pytest.raises(AccessError) as refused:
        papers.receipt_pdf(premises.actors["tecnico"], case)
    assert (refused.value.reason, refused.value.norm) == (Reason.STEP_OUT_OF_ORDER, "P10.04")
    assert refused.value.details == {"missing_step": "P10.02"}
    assert last_refusal(premises) == ("step_out_of_order", "P10.04")
    premises.requests.cancel(premises.actors["secretaria"], case, why="ya no")
    with pytest.raises(AccessError) as refused:
        papers.receipt_pdf(premises.actors["tecnico"], case)
    assert refused.value.reason is Reason.CASE_CLOSED


def test_a_receipt_signed_on_paper_prints_the_form(premises: Premises, papers: Papers) -> None:
    person = premises.person("Ana Xicay")
    case = premises.request(person)
    premises.configure(case)
    tecnico = premises.actors["tecnico"]
    scan = Upload(name="recibo.pdf", content=b"%PDF-1.4 scanned")
    premises.delivery.sign_on_paper(tecnico, case, scan=scan, document_shown=person.document.number)
    assert "Firma en papel" in text(papers.receipt_pdf(tecnico, case))


def test_a_notice_waits_for_the_delivery(premises: Premises, papers: Papers) -> None:
    person = premises.person("Ana Xicay")
    case = premises.request(person)
    premises.configure(case)
    premises.sign(case, person)
    with pytest.raises(AccessError) as refused:
        papers.notice_pdf(premises.actors["secretaria"], case)
    assert (refused.value.reason, refused.value.norm) == (Reason.STEP_OUT_OF_ORDER, "P10.06")
    assert refused.value.details == {"missing_step": "P10.05"}
    assert last_refusal(premises) == ("step_out_of_order", "P10.06")


def test_a_notice_tells_the_requester_what_became_of_each_door(premises: Premises, papers: Papers) -> None:
    case, _ = premises.delivered()
    secretaria = premises.actors["secretaria"]
    premises.requests.inform(secretaria, case)
    pdf = papers.notice_pdf(secretaria, case)
    said = text(pdf)
    for expected in (
        "Julia Jerónimo",
        "Silvia Set",
        "María José Ñandú",
        "entregada, activa",
        "la puerta no tiene equipo",  # cd-1
        "el equipo está sin conexión",  # sub-1: its terminal was never seen
        "Huellas gastadas",
        "P10.06-000001",
    ):
        assert expected in said, said
    assert papers.notice_pdf(premises.actors["auditor"], case) == pdf, "sent once, the letter keeps its date and signer"


def test_cards_owed_stand_under_their_head(premises: Premises, papers: Papers) -> None:
    _, person = premises.delivered()
    jefe = premises.actors["jefe"]
    RemovalDesk(premises.office).request(jefe, person=person.id, requested_by=jefe.person, reason="Traslado")
    _, other = premises.delivered("Otto Batz", card=0x0184F07B)
    with premises.store.view() as tx:
        card = tx.cards.find(holder=other.id)[0]
    premises.stock.happen(premises.actors["tecnico"], card.id, CardEvent.REPORT_DAMAGED, why="partida")
    premises.now += timedelta(days=8)
    said = text(papers.outstanding_pdf(premises.actors["secretaria"]))
    assert "Responde: Julia Jerónimo · 2 tarjetas pendientes, la más antigua de 8 días" in said
    assert "revocada" in said
    assert "dañada" in said
    assert "0025489531" in said


def test_a_department_without_a_head_is_named(premises: Premises, papers: Papers) -> None:
    _, person = premises.delivered()
    with premises.store.begin() as tx:
        for account in tx.accounts.find(username="jefe"):
            tx.accounts.save(type(account)(**{**_fields(account), "disabled_at": premises.now}))
        tx.record(Fact.ACCOUNT_DISABLED, at=premises.now, actor=premises.actors["guardia"])
        tx.commit()
    jefe = premises.actors["jefe"]
    RemovalDesk(premises.office).request(jefe, person=person.id, requested_by=jefe.person, reason="Traslado")
    said = text(papers.outstanding_pdf(premises.actors["auditor"]))
    assert "Responde: Jefatura de Departamento de Análisis" in said


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]


def test_the_day_is_printed_with_its_checkpoint(premises: Premises, papers: Papers) -> None:
    _, person = premises.delivered()
    premises.door_events(30, person=person.id)
    premises.door_events(2, start=START + timedelta(days=1))
    guardia = premises.actors["guardia"]
    pdf = papers.register_pdf(guardia, date(2026, 3, 2))
    said = text(pdf)
    with premises.store.view() as tx:
        kept = tx.ledger.checkpoint()
    assert kept is not None
    assert f"Punto de control del registro «igss.example/record»: {kept.size} asientos" in said
    assert "30 anotaciones, de la 1 a la 30" in said
    assert "fuera de horario (N10.3)" in said
    assert "María José Ñandú" in said
    assert printings(premises)[-1]["about"] == "2026-03-02"
    of_zone = text(papers.register_pdf(guardia, date(2026, 3, 2), zone="cdatos"))
    assert "15 anotaciones" in of_zone
    assert "Puerta principal" not in of_zone
    assert "día sin anotaciones" in text(papers.register_pdf(guardia, date(2026, 3, 9)))


def test_whoever_may_not_see_may_not_print(premises: Premises, papers: Papers) -> None:
    case, _ = premises.delivered()
    guardia, recepcion = premises.actors["guardia"], premises.actors["recepcion"]
    with pytest.raises(AccessError, match="wrong_role"):
        papers.receipt_pdf(guardia, case)
    with pytest.raises(AccessError, match="wrong_role"):
        papers.notice_pdf(guardia, case)
    with pytest.raises(AccessError, match="wrong_role"):
        papers.outstanding_pdf(guardia)
    with pytest.raises(AccessError, match="wrong_role"):
        papers.register_pdf(recepcion, date(2026, 3, 2))
    with pytest.raises(AccessError, match="not_found"):
        papers.receipt_pdf(recepcion, "../../etc/passwd")
    assert printings(premises) == []
