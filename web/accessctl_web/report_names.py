"""What reports, their columns and their values are called on screen."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask import Flask
from flask_babel import gettext
from markupsafe import Markup

from accessctl.domain.cards import CardState
from accessctl.services.reports import ReportName
from accessctl_web.language import day
from accessctl_web.names import N_, named

WORDS: Mapping[ReportName, str] = {
    ReportName.ENTRIES: N_("cuántas veces entró y salió cada persona por cada puerta"),
    ReportName.REFUSALS: N_("por qué no se abrió, dónde y cuántas veces"),
    ReportName.OUTSTANDING: N_("qué tarjetas no se han devuelto y qué jefatura responde"),
    ReportName.REVOCATIONS: N_("hasta dónde llegó cada baja y cuánto tiempo quedó expuesta una puerta"),
    ReportName.BLIND_SPOTS: N_("equipos sin comunicación, huecos, relojes dudosos y lo anotado después"),
    ReportName.LOOKED_AT: N_("quién buscó, exportó o imprimió qué"),
}

COLUMN_NAMES: Mapping[str, str] = {
    "door": N_("Puerta"),
    "person_id": N_("Persona"),
    "person": N_("Persona"),
    "event": N_("Hecho"),
    "count": N_("Veces"),
    "first_at": N_("Primera"),
    "last_at": N_("Última"),
    "reason": N_("Motivo"),
    "norm": N_("Norma"),
    "head": N_("Jefatura"),
    "department": N_("Departamento"),
    "card": N_("Tarjeta"),
    "holder": N_("Quién la tenía"),
    "since": N_("Desde"),
    "until": N_("Hasta"),
    "days": N_("Días"),
    "state": N_("Estado"),
    "removal": N_("Baja"),
    "at": N_("Cuándo"),
    "confirmed": N_("Confirmaron"),
    "devices": N_("Equipos"),
    "exposed_s": N_("Exposición"),
    "missing": N_("Faltan"),
    "kind": N_("Hecho"),
    "device": N_("Equipo"),
    "seconds": N_("Duración"),
    "index": N_("Asiento"),
    "detail": N_("Detalle"),
    "actor": N_("Quién"),
    "what": N_("Qué se llevó"),
    "about": N_("Sobre qué"),
    "lines": N_("Líneas"),
}
NUMBERS = frozenset({"count", "days", "confirmed", "devices", "index", "lines"})


def report_words(name: ReportName) -> str:
    """What a report answers."""
    return str(gettext(WORDS[name]))


def column_name(column: str) -> str:
    """What stands over a column."""
    return str(gettext(COLUMN_NAMES[column]))


def card_state_name(state: str) -> str:
    """What the state of a card is called."""
    return named(CardState(state))


def iso_day(text: str) -> Markup:
    """A day that a report gives as text."""
    return day(date.fromisoformat(text))


def in_numbers(column: str) -> bool:
    """Whether a column is of numbers, which stand to the right."""
    return column in NUMBERS


def pairs_of(columns: Iterable[str], row: Iterable[Any]) -> list[tuple[str, Any]]:
    """A row with the names of its columns."""
    return list(zip(columns, row, strict=True))


def install(app: Flask) -> None:
    """The filters and the test that the pages of reports use."""
    for one in (report_words, column_name, card_state_name, iso_day):
        app.add_template_filter(one, one.__name__)
    app.add_template_filter(pairs_of, "zip")
    app.add_template_test(in_numbers, "in_numbers")
