"""Badge, muster list and contingency folios: what they say, whatever stands in a name, and the same bytes again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accessctl.documents.badge import SIZE, Badge, render_badge
from accessctl.documents.contingency import COLUMNS, ROWS, BlankFolios, render_folios
from accessctl.documents.muster import ASK, MusterList, MusterZone, Sought, render_muster
from tests.documents.samples import AT, HOSTILE, IMPRINT, assert_nothing_overflows, read, text

BADGE = Badge(
    imprint=IMPRINT,
    visit=42,
    name="Luis Alfredo Ixcoy Batz",
    organisation="Redes del Sur, S. A.",
    zone="Centro de Datos",
    receives="Infraestructura Tecnológica",
    escort="Byron Estuardo Tzul",
    valid_from=AT,
    valid_until=AT + timedelta(hours=8),
    label="QR-42",
    number="1083636217",
    code="1083636217",
)


def mustered(people: int, *, certain: bool = True) -> MusterList:
    sought = tuple(
        Sought(name=f"Persona {n}", of="Sistemas", escort="", since=AT, certain=certain) for n in range(people)
    )
    zones = (MusterZone(name="Subgerencia", people=sought), MusterZone(name="Bodega", people=()))
    return MusterList(imprint=IMPRINT, at=AT, place="", fire_since=AT, zones=zones)


def test_a_badge_says_who_where_with_whom_and_until_when() -> None:
    said = text(render_badge(BADGE))
    for expected in (BADGE.name, "VISITA", "42", "Centro de Datos", "Byron Estuardo Tzul", "08:43 – 16:43", "QR-42"):
        assert expected in said, said
    assert "FORTUITO" not in said
    assert "INGRESO FORTUITO (N4.2)" in text(render_badge(replace(BADGE, fortuitous=True)))
    assert render_badge(BADGE) == render_badge(BADGE)


def test_only_a_slip_has_a_code() -> None:
    (slip,), (card,) = read(render_badge(BADGE)), read(render_badge(replace(BADGE, code="")))
    assert (slip.width, slip.height) == SIZE
    assert len(slip.rects) > len(card.rects) + 100


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_breaks_a_badge_or_a_list(name: str) -> None:
    badge = replace(BADGE, name=name, organisation=name, zone=name, receives=name, escort=name, label=name)
    assert_nothing_overflows(render_badge(badge))
    listed = mustered(1)
    sought = replace(listed.zones[0].people[0], name=name, of=name, escort=name)
    zone = MusterZone(name=name or "x", people=(sought,), doubt=name)
    assert_nothing_overflows(render_muster(replace(listed, place=name, zones=(zone,))))


def test_a_muster_list_names_everybody_under_a_head_on_every_page() -> None:
    document = render_muster(mustered(90))
    found = text(document)
    assert "Por encontrar De ellas, dudosas Alarma de incendio 90 0 24/11/2026 08:43:07" in found
    for place in range(90):
        assert f"Persona {place} Sistemas" in found
    assert "Bodega" not in found
    pages = read(document)
    assert len(pages) > 2
    for page in pages:
        assert "Hallada Persona De dónde Acompaña Desde Presencia" in page.extract_text()


def test_doubtful_people_are_sought_too_and_nobody_is_said_to_be_nobody() -> None:
    assert ASK in text(render_muster(mustered(2, certain=False)))
    assert "no hay nadie adentro" in text(render_muster(mustered(0)))


def test_blank_folios_bear_their_number_and_room_for_the_fourteen_fields() -> None:
    pages = read(render_folios(BlankFolios(imprint=IMPRINT, folios=("C-000007", "C-000008"))))
    assert len(pages) == 2
    for page, folio in zip(pages, ("C-000007", "C-000008"), strict=True):
        said = " ".join(page.extract_text().split())
        assert f"Folio {folio}" in said
        words = {word for title, _ in COLUMNS for word in title.split()}
        assert words <= set(said.split()), words - set(said.split())
        assert str(ROWS) in said
    assert_nothing_overflows(render_folios(BlankFolios(imprint=IMPRINT, folios=("C-000001",))))
    with pytest.raises(ValueError, match="no folio"):
        render_folios(BlankFolios(imprint=IMPRINT, folios=()))
