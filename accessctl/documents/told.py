"""What was asked for and what a blind spot was, in Spanish: the cells `about` and `detail` of reports."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from accessctl.documents.fact_words import EVENTS
from accessctl.documents.imprint import moment
from accessctl.documents.words import word

MOST_FACTS = 3  # of a group of facts that was asked for; how many more is said
WHOLE = "todo el registro"
_WHY: Mapping[str, str] = {
    "log_epoch_changed": "la bitácora del equipo empezó de nuevo",
    "index_missing": "faltan números de la bitácora",
    "silent": "dejó de llamar",
}


def asked_words(asked: Mapping[str, object]) -> str:
    """What was asked of the record; `WHOLE` where nothing was."""
    return told_words(asked) or WHOLE


def told_words(told: Mapping[str, object]) -> str:
    """What is known of it, times first, with points between; what nobody but a program reads is left out."""
    return " · ".join(words for key, way in _WAYS.items() if key in told and (words := way(told[key])))


def span(seconds: int) -> str:
    """A length of time in its two largest units: `2 h 05 min`, `3 días 4 h`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} {'día' if days == 1 else 'días'} {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {seconds % 60:02d} s" if minutes else f"{seconds} s"


def _named(name: str) -> Callable[[object], str]:
    return lambda value: f"{name} {value}"


def _at(name: str) -> Callable[[object], str]:
    return lambda value: f"{name} {moment(datetime.fromisoformat(str(value)))}"


def _facts(value: object) -> str:
    codes = value if isinstance(value, list) else [value]
    said = ", ".join(word(EVENTS, str(code)) for code in codes[:MOST_FACTS])
    return said if len(codes) <= MOST_FACTS else f"{said} y {len(codes) - MOST_FACTS} hechos más"


def _skew(value: object) -> str:
    if not isinstance(value, int):
        return ""
    return f"reloj {'atrasado' if value < 0 else 'adelantado'} {span(abs(value))}"


def _missing(value: object) -> str:
    return f"faltan {value} eventos" if value else ""


_WAYS: Mapping[str, Callable[[object], str]] = {
    "since": _at("desde"),
    "until": _at("antes de"),
    "after_index": _named("después del asiento"),
    "before_index": _named("antes del asiento"),
    "index": _named("asiento"),
    "day": lambda value: f"{date.fromisoformat(str(value)):%d/%m/%Y}",
    "door": _named("puerta"),
    "zone": _named("zona"),
    "device": _named("equipo"),
    "person": _named("persona"),
    "credential": _named("tarjeta"),
    "request": _named("solicitud"),
    "visit": _named("visita"),
    "number": _named("visita"),
    "norm": _named("norma o paso"),
    "events": _facts,
    "printing": _named("registro impreso"),
    "public": lambda value: "versión pública" if value else "",
    "folio": _named("folio"),
    "how": lambda value: "firmó en papel" if value == "paper" else "",
    "skew_s": _skew,
    "missing": _missing,
    "first": _named("desde el número"),
    "last": _named("hasta el número"),
    "why": lambda value: _WHY.get(str(value), ""),
    "text": str,
}
