"""The sections of the panel: which of them the person may open, and in which one they are."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_babel import gettext
from flask_login import current_user

from accessctl_web.access import EVERYBODY, asked_of
from accessctl_web.names import N_

SECTIONS: tuple[tuple[str, str], ...] = (
    ("home.show", N_("Inicio")),
    ("requests.show", N_("Solicitudes")),
    ("visits.show", N_("Visitas")),
    ("inside.show", N_("Adentro")),
    ("people.show", N_("Personas")),
    ("cards.show", N_("Tarjetas")),
    ("removals.show", N_("Bajas")),
    ("doors.show", N_("Puertas")),
    ("doors.events", N_("Eventos")),
    ("alarms.show", N_("Alarmas")),
    ("record.show", N_("Registro")),
    ("accounts.show", N_("Cuentas")),
)
OF_REQUESTS = frozenset({"enrolment", "delivery"})
OF_RECORD = frozenset({"checkpoints", "exports", "reports"})
OF_VISITS = frozenset({"visit_care", "visitor_cards", "visit_differences", "register_comparison"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One entry of the bar. `current` where the page being shown belongs to it."""

    name: str
    address: str
    current: bool


def places() -> list[Place]:
    """The entries that this person may open: what a view needs is said once, at the view."""
    shown = []
    for endpoint, name in SECTIONS:
        asked = asked_of(current_app.view_functions[endpoint]) or frozenset()
        if asked == EVERYBODY or any(current_user.actor.may(one) for one in asked):
            current = _is_current(endpoint)
            shown.append(Place(name=str(gettext(name)), address=url_for(endpoint), current=current))
    return shown


def _is_current(endpoint: str) -> bool:
    here = "requests" if request.blueprint in OF_REQUESTS else request.blueprint
    here = "visits" if here in OF_VISITS else here
    here = "record" if here in OF_RECORD else here
    if here == "doors":
        return request.endpoint == endpoint
    return here == endpoint.partition(".")[0]


def install(app: Flask) -> None:
    """Give the templates their sections."""
    app.add_template_global(places, "places")
