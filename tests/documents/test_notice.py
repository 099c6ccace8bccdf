"""P10.06: the letter names the result for every door, and is signed by the secretary."""

from dataclasses import replace

from accessctl.documents.notice import DoorResult, render_notice
from tests.documents.samples import HOSTILE, assert_nothing_overflows, notice, text


def test_it_tells_the_requester_what_became_of_each_door() -> None:
    found = text(render_notice(notice()))
    for said in (
        *("Guatemala, 24 de noviembre de 2026", "Oficio No. DIT-0456-2026", "Carlos Humberto Ajú", "Presente"),
        *("Puerta norte", "Configurada", "Puerta sur", "Pendiente: sin conexión", "0018226646", "Activa"),
        *("sin fecha de vencimiento", "cuando vuelva la conexión", "Silvia Beatriz Ramos", "P10.06", "N10.4"),
        "fue entregada contra firma el 24 de noviembre de 2026",
    ):
        assert said in found, said


def test_a_card_not_yet_delivered_is_not_said_to_be() -> None:
    found = text(render_notice(replace(notice(), delivered_at=None)))
    assert "no ha sido entregada" in found
    assert "contra firma" not in found


def test_hostile_names_break_nothing() -> None:
    doors = tuple(DoorResult(door=name, schedule=name, result=name) for name in HOSTILE)
    wide = "W" * 200
    letter = replace(
        notice(), person=wide, addressee=wide, card_state=wide, doors=doors, remarks=HOSTILE, signed_by=wide
    )
    assert_nothing_overflows(render_notice(letter))
