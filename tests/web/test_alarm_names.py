"""What services say of alarms has words on screen: every code that the source gives to an alarm is known."""

import ast
from pathlib import Path

import pytest

import accessctl
from accessctl.domain.errors import Reason
from accessctl_web.alarm_names import CAUSES, DETAILS, alarm_cause, alarm_detail, alarm_said
from tests.web.house import House

SOURCES = sorted(Path(accessctl.__file__).parent.glob("services/*.py"))


def literals(function: str, keyword: str) -> set[str]:
    """The texts that calls of `function` pass as `keyword`, spelt out."""
    found = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                for one in node.keywords:
                    if one.arg == keyword and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                        found.add(one.value.value)
    return found


def test_every_cause_that_a_service_names_has_words() -> None:
    causes = literals("settle", "cause")
    assert causes >= {"closed", "filled"}
    assert {one for one in causes if one not in CAUSES and not one.startswith(("N", "P"))} == set()


def test_every_detail_that_a_service_spells_out_has_words() -> None:
    details = literals("Subject", "detail")
    assert details >= {"rtstate", "silent"}
    assert {one for one in details if not any(pattern.fullmatch(one) for pattern, _ in DETAILS)} == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("same serial from 10.0.0.9", "otro equipo llama con su número de serie desde 10.0.0.9"),
        ("pin 1001, card 100001", "usuario 1001, tarjeta 100001"),
        ("-3600 s", "se aparta -3600 s"),
        ("120-140", "faltan los eventos 120 a 140"),
        ("2: 901, 902", "2 usuarios ajenos: 901, 902"),
        ("3", "bajas sin confirmar: 3"),
        ("DeviceUnreachable: tcp://127.0.0.1:4370", "no responde: tcp://127.0.0.1:4370"),
        ("expired", "La autorización ya venció."),
        ("P4.07", "P4.07, Comprobar que la persona salió"),
        ("clock_right", "el reloj volvió a coincidir"),
        ("entry_changed 12", "Un asiento fue alterado. (asiento 12)"),
        ("wrong_root", "Los asientos no son los que se firmaron."),
        ("Cable suelto", "Cable suelto"),
        ("", ""),
        ("100% seguro: %(said)s", "100% seguro: %(said)s"),
    ],
)
def test_what_is_shown_for_what_was_stored(house: House, text: str, words: str) -> None:
    with house.app.test_request_context("/"):
        assert alarm_said(text) == words
        assert alarm_cause(text) in {words, text}
        assert alarm_detail(text) in {words, text}


def test_every_reason_that_a_door_gives_is_a_sentence(house: House) -> None:
    with house.app.test_request_context("/"):
        assert all(alarm_detail(reason.value) != reason.value for reason in Reason)
