"""What services say of alarms has words on screen: every code that the source gives to an alarm is known."""

import ast
import re
from pathlib import Path

import pytest

import accessctl
import accessctl_drivers
from accessctl.domain.errors import Reason
from accessctl_web.alarm_names import CAUSES, DETAILS, alarm_cause, alarm_detail, alarm_said
from accessctl_web.device_words import TROUBLES, device_trouble
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
        (
            "DeviceUnreachable: tcp://10.0.0.9:4370 does not answer: [Errno 111] Connection refused",
            "no responde: tcp://10.0.0.9:4370: nadie atiende en esa dirección",
        ),
        (
            "DeviceUnreachable: tcp://10.0.0.9:4370 does not answer: timed out",
            "no responde: tcp://10.0.0.9:4370: no contestó a tiempo",
        ),
        (
            "DeviceMisbehaved: checksum 4be1, expected 4be2 in reply 17",
            "no respeta su protocolo: una suma de comprobación no coincide",
        ),
        ("DeviceUnreachable: 100% %(x)s", "no responde: 100% %(x)s"),
        ("exit_without_entry", "salió sin que conste su ingreso"),
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


DRIVERS = sorted(Path(accessctl_drivers.__file__).parent.rglob("*.py"))
ERRORS = frozenset({"DeviceUnreachable", "DeviceRefused", "DeviceMisbehaved"})


def said_of_devices() -> set[str]:
    """What drivers and keepers say of devices, with a 7 for whatever was seen."""
    found = set()
    for source in (*DRIVERS, *SOURCES):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS and node.args:
                text = node.args[0]
                if isinstance(text, ast.Constant):
                    found.add(str(text.value))
                elif isinstance(text, ast.JoinedStr):
                    found.add("".join(str(one.value) if isinstance(one, ast.Constant) else "7" for one in text.values))
    return found


def test_everything_that_a_driver_says_of_a_device_has_words(house: House) -> None:
    said = said_of_devices()
    assert len(said) > 50
    with house.app.test_request_context("/"):
        assert {one for one in said if device_trouble(one) == one} == set()
        shown = " ".join(device_trouble(one) for one in said)
    assert not re.search(r"\b(?:the|not|with|where|answer|bytes of|expected|was)\b", shown)


def test_no_pattern_is_in_the_shadow_of_another() -> None:
    said = said_of_devices() | {
        "3 differences left",
        "user: returned -5, told 7 rows",
        "delete 9: returned -1",
        "silent",
    }
    said |= {"read: no answer", "[Errno 2] could not open port /dev/x", "terminal 7: comm_key_file: x: cannot be read"}
    said |= {
        "terminal refused: wrong comm key",
        "terminal 7: comm_key_file: x: is open to others (mode 0644, wanted 0600); chmod 600 it",
        "terminal 7: comm_key_file: x: a comm key is a number of up to nine digits",
    }
    first = {next(n for n, (pattern, _) in enumerate(TROUBLES) if pattern.fullmatch(one)) for one in said}
    assert first == set(range(len(TROUBLES)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3 differences left", "quedan 3 diferencias con lo que debe tener"),
        ("user: returned -5, told 7 rows", "no dio entera su tabla user: código -5"),
        ("[Errno 2] could not open port /dev/ttyUSB0", "el aparato no está conectado"),
        (
            "terminal lobby: comm_key_file: /srv/k: is open to others (mode 0644, wanted 0600); chmod 600 it",
            "otros pueden leer el archivo de su clave de comunicación, /srv/k (modo 0644): debe ser 0600",
        ),
        ("", ""),
        ("algo %(x)s", "algo %(x)s"),
    ],
)
def test_what_is_shown_beside_a_device(house: House, text: str, words: str) -> None:
    with house.app.test_request_context("/"):
        assert device_trouble(text) == words
