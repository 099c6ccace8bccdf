"""What was asked for and what a blind spot was, in words: the cells `about` and `detail` of reports on the screen."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from flask import Flask
from flask_babel import format_datetime, gettext

from accessctl.services.report_names import card_text
from accessctl_web.device_words import device_trouble
from accessctl_web.language import span
from accessctl_web.names import N_, fact_name
from accessctl_web.names import REPORTS as REPORT_NAMES

MOST_FACTS = 3  # of a group of facts that was asked for; how many more is said
TIMES = ("since", "until")
WHY: Mapping[str, str] = {
    "log_epoch_changed": N_("la bitácora del equipo empezó de nuevo"),
    "index_missing": N_("faltan números de la bitácora"),
}
TAKEN: Mapping[str, str] = {  # what was printed or taken away
    "receipt": N_("constancia de entrega"),
    "notice": N_("oficio"),
    "register": N_("registro diario"),
    "visit_register": N_("registro de visitas"),
    "badge": N_("gafete de visita"),
    "muster": N_("lista de evacuación"),
    "folios": N_("hojas de contingencia"),
    "record": N_("registro completo"),
    "proof": N_("prueba de un asiento"),
    "csv": "CSV",
    "jsonl": "JSON lines",
    "json": "JSON",
    "xlsx": "XLSX",
    "pdf": "PDF",
}
NAMES: Mapping[str, str] = {
    "after_index": N_("después del asiento %(value)s"),
    "before_index": N_("antes del asiento %(value)s"),
    "index": N_("asiento %(value)s"),
    "door": N_("puerta %(value)s"),
    "zone": N_("zona %(value)s"),
    "device": N_("equipo %(value)s"),
    "person": N_("persona %(value)s"),
    "credential": N_("tarjeta %(value)s"),
    "request": N_("solicitud %(value)s"),
    "visit": N_("visita %(value)s"),
    "number": N_("visita %(value)s"),
    "norm": N_("norma o paso %(value)s"),
    "printing": N_("registro impreso %(value)s"),
    "folio": N_("folio %(value)s"),
    "first": N_("desde el número %(value)s"),
    "last": N_("hasta el número %(value)s"),
    "since": N_("desde %(value)s"),
    "until": N_("antes de %(value)s"),
}


def taken_name(code: str) -> str:
    """What was printed or taken away; the code itself where it is none that we know."""
    report = {name.value: words for name, words in REPORT_NAMES.items()}
    words = report.get(code) or TAKEN.get(code)
    return str(gettext(words)) if words else code


def told_words(told: Mapping[str, object]) -> str:
    """What is known of it, times first, with points between; what nobody but a program reads is left out."""
    ordered = sorted(told.items(), key=lambda said: said[0] not in TIMES)
    return " · ".join(words for key, value in ordered if (words := _words(key, value)))


def asked_words(told: Mapping[str, object]) -> str:
    """The same of what was asked of the record; where nothing was, all of it."""
    return told_words(told) or str(gettext("todo el registro"))


def _words(key: str, value: object) -> str:
    if key in _WAYS:
        return _WAYS[key](value)
    return str(gettext(NAMES[key], value=value)) if key in NAMES else ""


def _at(key: str) -> Callable[[object], str]:
    def words(value: object) -> str:
        at = format_datetime(datetime.fromisoformat(str(value)), "dd/MM/yyyy HH:mm:ss")
        return str(gettext(NAMES[key], value=at))

    return words


def _facts(value: object) -> str:
    codes = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    said = ", ".join(fact_name(code) for code in codes[:MOST_FACTS])
    more = len(codes) - MOST_FACTS
    return str(gettext("%(facts)s y %(more)s hechos más", facts=said, more=more)) if more > 0 else said


def _skew(value: object) -> str:
    if not isinstance(value, int):
        return ""
    length = span(timedelta(seconds=abs(value)))
    said = gettext("reloj atrasado %(length)s", length=length)
    return str(said if value < 0 else gettext("reloj adelantado %(length)s", length=length))


def _why(value: object) -> str:
    text = str(value)
    if text in WHY:
        return str(gettext(WHY[text]))
    return device_trouble(text.partition(": ")[2] if text.partition(":")[0].isalpha() else text)


_WAYS: Mapping[str, Callable[[object], str]] = {
    "since": _at("since"),
    "until": _at("until"),
    "day": lambda value: f"{date.fromisoformat(str(value)):%d/%m/%Y}",
    "events": _facts,
    "public": lambda value: str(gettext("versión pública")) if value else "",
    "how": lambda value: str(gettext("firmó en papel")) if value == "paper" else "",
    "skew_s": _skew,
    "missing": lambda value: str(gettext("faltan %(count)s eventos", count=value)) if value else "",
    "why": _why,
    "text": str,
}


def install(app: Flask) -> None:
    """The filters that the pages of reports use."""
    for one in (taken_name, told_words, asked_words, card_text):
        app.add_template_filter(one, one.__name__)
