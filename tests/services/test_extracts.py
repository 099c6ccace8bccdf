"""An extract holds everything about one person but what would harm: whole as JSON, summed up on paper."""

import io
import json
from datetime import timedelta

import pdfplumber
import pytest

from accessctl.documents.extract import NONE, SECTIONS, ExtractPress
from accessctl.domain.errors import AccessError
from accessctl.domain.facts import Fact
from accessctl.services.extracts import MOST_ROWS, ExtractDesk
from accessctl.services.store import EventFilter
from tests.services.premises import Premises
from tests.services.test_erasure import ADMIN, KEEP, NAME, desk_of, ended
from tests.services.visiting import Visiting


def extracts_of(premises: Premises) -> ExtractDesk:
    return ExtractDesk(premises.office, premises.keeper, ExtractPress(), KEEP)


def text_of(pdf: bytes) -> str:
    with pdfplumber.open(io.BytesIO(pdf)) as drawn:
        return "\n".join(page.extract_text() or "" for page in drawn.pages)


def test_an_extract_holds_everything_but_templates(premises: Premises) -> None:
    person = ended(premises)
    content = extracts_of(premises).as_json(premises.actors["auditor"], person.id)
    said = json.loads(content)
    assert said["person"]["full_name"] == NAME
    assert said["fingers"] == [6]
    assert len(said["entries"]) > 30
    assert said["requests"]
    assert said["visits"][0]["vehicle"] == "P-123ABC"
    assert b"secret finger" not in content
    assert b"password" not in content
    second = json.loads(extracts_of(premises).as_json(premises.actors["auditor"], person.id))
    assert [one["event"] for one in second["looked_at_by"]] == [Fact.EXTRACT_MADE]
    with pytest.raises(AccessError, match="wrong_role"):
        extracts_of(premises).as_json(premises.actors["guardia"], person.id)


def test_on_paper_it_is_for_the_person_to_read(premises: Premises) -> None:
    person = ended(premises)
    auditor = premises.actors["auditor"]
    text = text_of(extracts_of(premises).as_pdf(auditor, person.id))
    for said in (
        NAME,
        person.document.number,
        "Decreto 57-2008",
        "Finalidad",
        "1825 días",
        "Huellas registradas",
        "JSON",
    ):
        assert said in text, said
    for heading, _ in SECTIONS.values():
        assert heading in text, heading
    assert "secret finger" not in text
    assert "Ingreso permitido" in text
    assert "devuelta" in text
    assert NONE in text, "what is not held is said too"
    with premises.store.view() as tx:
        (row,) = tx.events.rows(EventFilter(events=(Fact.EXTRACT_MADE.value,)))
        assert (row.person, row.actor) == (person.id, auditor.account)
    assert "Extracto" in text_of(extracts_of(premises).as_pdf(auditor, person.id)), "the first stands in the second"
    with pytest.raises(AccessError, match="wrong_role"):
        extracts_of(premises).as_pdf(premises.actors["guardia"], person.id)
    with pytest.raises(AccessError, match="not_found"):
        extracts_of(premises).as_pdf(auditor, "nobody")


def test_what_is_long_is_summed_up(visiting: Visiting) -> None:
    premises = visiting.premises
    person = premises.person("Ana")
    premises.door_events(5000, person=person.id, start=premises.now)
    auditor = premises.actors["auditor"]
    for _ in range(MOST_ROWS + 5):
        with premises.store.begin() as tx:
            tx.record(Fact.EXTRACT_MADE, at=premises.now, actor=auditor, person=person.id)
            tx.commit()
    pdf = extracts_of(premises).as_pdf(auditor, person.id)
    text = text_of(pdf)
    assert "En total 5000." in text
    assert f"Se muestran los últimos {MOST_ROWS} de {MOST_ROWS + 5}." in text
    with pdfplumber.open(io.BytesIO(pdf)) as drawn:
        assert len(drawn.pages) < 8


def test_who_was_erased_has_no_name_in_it(premises: Premises) -> None:
    person = ended(premises)
    desk_of(premises).erase(ADMIN, person.id, why="venció")
    premises.now += timedelta(hours=1)
    text = text_of(extracts_of(premises).as_pdf(premises.actors["auditor"], person.id))
    assert NAME not in text
    assert f"#{person.number}" in text
    assert person.document.number not in text
