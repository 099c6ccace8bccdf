"""Reports on paper: what their columns and values are called in Spanish."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from accessctl.documents.fact_words import EVENTS
from accessctl.documents.imprint import moment
from accessctl.documents.printed_list import render_list
from accessctl.documents.told import asked_words, span, told_words
from accessctl.documents.words import CARD_STATES, DOCUMENTS, REASONS, TAKEN, VISIT_STATES, word
from accessctl.domain.people import SYSTEM, DocumentKind
from accessctl.services.paper_facts import ListFacts

TITLES: Mapping[str, str] = {
    "entries": "Ingresos y salidas por puerta y persona",
    "refusals": "Ingresos denegados por motivo",
    "outstanding": "Tarjetas no devueltas por jefatura",
    "revocations": "Revocaciones y su exposición",
    "blind_spots": "Puntos ciegos: cuándo y dónde no se vio",
    "looked_at": "Quién consultó qué",
    "visits": "Visitas con sus catorce datos",
    "fortuitous": "Ingresos fortuitos sin regularizar",
}
COLUMNS: Mapping[str, tuple[str, float]] = {
    "door": ("Puerta", 2), "person_id": ("Persona", 2.4), "person": ("Persona", 3), "event": ("Hecho", 2.4),
    "count": ("Veces", 1), "first_at": ("Primera", 2.2), "last_at": ("Última", 2.2), "reason": ("Motivo", 3),
    "norm": ("Norma", 1.1), "head": ("Jefatura", 3), "department": ("Departamento", 3), "card": ("Tarjeta", 2.2),
    "holder": ("Titular", 3), "since": ("Desde", 2.2), "days": ("Días", 1), "state": ("Estado", 2),
    "removal": ("Baja", 1.4), "at": ("Fecha y hora", 2.2), "confirmed": ("Confirmaron", 1.2), "devices": ("De", 1),
    "exposed_s": ("Exposición", 1.6), "missing": ("Faltan", 3), "kind": ("Hecho", 2.4), "device": ("Equipo", 1.8),
    "until": ("Hasta", 2.2), "seconds": ("Duración", 1.6), "index": ("Asiento", 1.2), "detail": ("Detalle", 3),
    "actor": ("Quién", 2.4), "what": ("Qué", 1.6), "about": ("Sobre", 4), "lines": ("Líneas", 1.1),
    "visit": ("Visita", 1.6), "organisation": ("Empresa", 2.4), "document": ("Documento", 3),
    "signature": ("Firma", 1.9), "entered_at": ("Entrada", 2.1), "exited_at": ("Salida", 2.1),
    "purpose": ("Motivo", 3), "receives": ("Visita a", 2.8), "authority": ("Autorizó", 2.4),
    "escorts": ("Acompañó", 3), "verified_by": ("Comprobó la salida", 2.3), "recorded_by": ("Anotó la salida", 2.3),
    "card_given_at": ("Tarjeta dada", 2.1), "card_back_at": ("Tarjeta devuelta", 2.1),
    "briefed_at": ("Inducción", 2.1), "brought": ("Equipo que entró", 3), "taken": ("Equipo que salió", 3),
    "fortuitous": ("Ingreso fortuito (N4.2)", 3), "folio": ("Anotado después, folio", 2), "zone": ("Zona", 2),
    "visit_state": ("Estado", 1.8), "authorised_at": ("Declarado", 2.1), "waiting_s": ("Espera", 1.6),
}  # fmt: skip
BELOW: Mapping[str, tuple[str, ...]] = {  # what stands below a line, where a sheet has no room for one more column
    "visits": (
        *("card", "card_given_at", "card_back_at", "briefed_at", "brought", "taken"),
        *("fortuitous", "folio", "visit_state"),
    ),
}
NOT_ON_PAPER = frozenset({"person_id", "visit_id"})  # beside what they are the ids of
_MOMENTS = frozenset(name for name in COLUMNS if name.endswith("_at") or name in {"at", "since", "until"})
_WORDS: Mapping[str, Mapping[str, str]] = {
    "event": EVENTS,
    "kind": EVENTS,
    "reason": REASONS,
    "state": {state.value: said for state, said in CARD_STATES.items()},
    "visit_state": VISIT_STATES,
    "what": {**TITLES, **TAKEN},
    "actor": {SYSTEM.account: "el sistema"},
}
_SPANS = frozenset({"seconds", "exposed_s", "waiting_s"})
_TOLD = frozenset({"about", "detail"})


class ReportPress:
    """Draws reports (`accessctl.services.reports.ListPrinter`)."""

    def report(self, name: str, facts: ListFacts) -> bytes:
        given = [column for column, _ in facts.columns]
        below = BELOW.get(name, ())
        hidden = NOT_ON_PAPER if "person" in given else frozenset()
        names = [column for column in given if column not in hidden and column not in below]
        lines = [
            {column: _shown(column, text, said) for column, text in zip(given, row, strict=True)}
            for row, said in zip(facts.rows, facts.told, strict=True)
        ]
        rows = tuple(tuple(line[column] for column in names) for line in lines)
        remarks = tuple(_remark(line, below) for line in lines)
        about = f"Consulta: {asked_words(facts.asked)}"
        columns = tuple(COLUMNS[column] for column in names)
        serves = f"Norma {facts.serves}"
        return render_list(
            replace(facts, title=TITLES[name], serves=serves, about=about, columns=columns, rows=rows, remarks=remarks)
        )


def _remark(line: Mapping[str, str], below: tuple[str, ...]) -> str:
    return " · ".join(f"{COLUMNS[column][0]}: {line[column]}" for column in below if line[column])


def _shown(column: str, text: str, told: Mapping[str, object]) -> str:
    if column in _TOLD:
        return asked_words(told) if text == "{}" and column == "about" else told_words(told)
    if column == "until" and not text:
        return "todavía"
    if column in _SPANS and text:
        return span(int(text))
    if column == "since" and len(text) == len("2026-11-28"):
        return f"{date.fromisoformat(text):%d/%m/%Y}"
    if column in _MOMENTS and "T" in text:
        return moment(datetime.fromisoformat(text))
    if column == "document" and text:
        kind, _, number = text.partition(":")
        return f"{DOCUMENTS[DocumentKind(kind)]} {number}"
    if column == "signature":
        return text[:12]
    return word(_WORDS[column], text) if column in _WORDS else text
