"""Reports on paper: what their columns and values are called in Spanish."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from accessctl.documents.imprint import moment
from accessctl.documents.printed_list import render_list
from accessctl.documents.words import CARD_STATES, EVENTS, REASONS, word
from accessctl.services.paper_facts import ListFacts

TITLES: Mapping[str, str] = {
    "entries": "Ingresos y salidas por puerta y persona",
    "refusals": "Ingresos denegados por motivo",
    "outstanding": "Tarjetas no devueltas por jefatura",
    "revocations": "Revocaciones y su exposición",
    "blind_spots": "Puntos ciegos: cuándo y dónde no se vio",
    "looked_at": "Quién consultó qué",
}
COLUMNS: Mapping[str, tuple[str, float]] = {
    "door": ("Puerta", 2), "person_id": ("Id. de persona", 2.4), "person": ("Persona", 3), "event": ("Hecho", 2.4),
    "count": ("Veces", 1), "first_at": ("Primera", 2.2), "last_at": ("Última", 2.2), "reason": ("Motivo", 3),
    "norm": ("Norma", 1.1), "head": ("Jefatura", 3), "department": ("Departamento", 3), "card": ("Tarjeta", 2.2),
    "holder": ("Titular", 3), "since": ("Desde", 2.2), "days": ("Días", 1), "state": ("Estado", 2),
    "removal": ("Baja", 1.4), "at": ("Fecha y hora", 2.2), "confirmed": ("Confirmaron", 1.2), "devices": ("De", 1),
    "exposed_s": ("Exposición, s", 1.4), "missing": ("Faltan", 3), "kind": ("Hecho", 2.4), "device": ("Equipo", 1.8),
    "until": ("Hasta", 2.2), "seconds": ("Segundos", 1.4), "index": ("Asiento", 1.2), "detail": ("Detalle", 3),
    "actor": ("Cuenta", 2.4), "what": ("Qué", 1.6), "about": ("Sobre", 4), "lines": ("Líneas", 1.1),
}  # fmt: skip
_MOMENTS = frozenset({"first_at", "last_at", "at", "since", "until"})
_WORDS: Mapping[str, Mapping[str, str]] = {
    "event": EVENTS,
    "kind": EVENTS,
    "reason": REASONS,
    "state": {state.value: said for state, said in CARD_STATES.items()},
}


class ReportPress:
    """Draws reports (`accessctl.services.reports.ListPrinter`)."""

    def report(self, name: str, facts: ListFacts) -> bytes:
        names = [column for column, _ in facts.columns]
        rows = tuple(tuple(_shown(*pair) for pair in zip(names, row, strict=True)) for row in facts.rows)
        about = "Todo el registro" if facts.about == "{}" else f"Consulta: {facts.about}"
        columns = tuple(COLUMNS[column] for column in names)
        serves = f"Norma {facts.serves}"
        return render_list(replace(facts, title=TITLES[name], serves=serves, about=about, columns=columns, rows=rows))


def _shown(column: str, text: str) -> str:
    if column in _MOMENTS and "T" in text:
        return moment(datetime.fromisoformat(text))
    return word(_WORDS[column], text) if column in _WORDS else text
