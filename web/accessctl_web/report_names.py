"""What reports, their columns and their values are called on screen."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask import Flask
from flask_babel import gettext
from markupsafe import Markup

from accessctl.domain.cards import CardState
from accessctl.domain.people import DocumentKind
from accessctl.domain.visits import VisitState
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
    ReportName.VISITS: N_("quién vino, a qué, con quién, y quién comprobó y anotó la salida"),
    ReportName.FORTUITOUS: N_("qué ingresos de emergencia esperan a la autoridad superior, y desde cuándo"),
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
    "visit_id": N_("Visita"),
    "visit": N_("Visita"),
    "organisation": N_("Empresa o institución"),
    "document": N_("Documento"),
    "signature": N_("Firma"),
    "entered_at": N_("Entrada"),
    "exited_at": N_("Salida"),
    "purpose": N_("Motivo"),
    "receives": N_("Visita a"),
    "authority": N_("Autorizó"),
    "escorts": N_("Acompañó"),
    "verified_by": N_("Comprobó la salida"),
    "recorded_by": N_("Anotó la salida"),
    "card_given_at": N_("Tarjeta dada"),
    "card_back_at": N_("Tarjeta devuelta"),
    "briefed_at": N_("Inducción"),
    "brought": N_("Equipo que entró"),
    "taken": N_("Equipo que salió"),
    "fortuitous": N_("Ingreso fortuito"),
    "folio": N_("Folio"),
    "visit_state": N_("Estado"),
    "zone": N_("Zona"),
    "authorised_at": N_("Declarado"),
    "waiting_s": N_("Espera"),
}
PAPER_NAMES: Mapping[str, str] = {  # of a line of the printed register, where no report has the column
    "name": N_("Nombre completo"),
    "mark": N_("Marca"),
    "card_back": N_("Tarjeta devuelta"),
    "briefed": N_("Inducción"),
    "regularised_at": N_("Regularizado"),
    "vehicle": N_("Vehículo"),
    "unverified": N_("Salida no verificada"),
}
MOMENTS = frozenset(name for name in COLUMN_NAMES if name.endswith("_at") or name in {"at", "since", "until"})
NUMBERS = frozenset({"count", "days", "confirmed", "devices", "index", "lines", "visit"})


def report_words(name: ReportName) -> str:
    """What a report answers."""
    return str(gettext(WORDS[name]))


def column_name(column: str) -> str:
    """What stands over a column."""
    return str(gettext(COLUMN_NAMES[column]))


def paper_field(field: str) -> str:
    """What a field of a line of the printed register is called."""
    return str(gettext(PAPER_NAMES.get(field) or COLUMN_NAMES[field]))


def card_state_name(state: str) -> str:
    """What the state of a card is called."""
    return named(CardState(state))


def visit_state_name(state: str) -> str:
    """What the state of a visit is called."""
    return named(VisitState(state))


def document_name(text: str) -> str:
    """An identity document that a report gives as `kind:number`."""
    kind, _, number = text.partition(":")
    return f"{named(DocumentKind(kind))} {number}"


def is_moment(column: str) -> bool:
    """Whether a column is of moments."""
    return column in MOMENTS


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
    for one in (report_words, column_name, paper_field, card_state_name, visit_state_name, document_name, iso_day):
        app.add_template_filter(one, one.__name__)
    app.add_template_filter(pairs_of, "zip")
    app.add_template_test(in_numbers, "in_numbers")
    app.add_template_test(is_moment, "of_moments")
