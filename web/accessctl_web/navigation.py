"""The head of a page: the sections that the person may open, in which one they are, and how many alarms are open."""

from dataclasses import dataclass

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext
from flask_login import current_user

from accessctl.domain.people import Permission
from accessctl.services.bulletin import Topic
from accessctl_web.access import EVERYBODY, asked_of
from accessctl_web.desks import actor, desks
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
    """One entry of the bar. `current` where the page being shown belongs to it, `alarms` where it counts them."""

    name: str
    address: str
    current: bool
    alarms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What an open page follows: a topic, "" for the head alone, and the last entry that it knows."""

    topic: str
    after: int


def follow(topic: Topic) -> None:
    """Let the page that is about to be made follow a topic. To be said before its contents are asked for."""
    g.following = Following(topic=topic.value, after=desks().bulletin.known())


def following() -> Following | None:
    """What this page follows. Every page of somebody who may see alarms follows at least their number."""
    if "following" not in g:
        may = "asks_nothing" not in g and current_user.actor.may(Permission.ALARMS_SEE)
        g.following = Following(topic="", after=desks().bulletin.known()) if may else None
    found: Following | None = g.following
    return found


def open_alarms() -> int:
    """How many alarms nobody has resolved. Asked after `following`, so that none between the two is missed."""
    if "open_alarms" not in g:
        g.open_alarms = 0 if "asks_nothing" in g else desks().alarm_files.count(actor())
    return int(g.open_alarms)


def places() -> list[Place]:
    """The entries that this person may open: what a view needs is said once, at the view."""
    shown = []
    for endpoint, name in SECTIONS:
        asked = asked_of(current_app.view_functions[endpoint]) or frozenset()
        if asked == EVERYBODY or any(current_user.actor.may(one) for one in asked):
            current = _is_current(endpoint)
            alarms = endpoint == "alarms.show"
            shown.append(Place(name=str(gettext(name)), address=url_for(endpoint), current=current, alarms=alarms))
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
    for one in (places, following, open_alarms):
        app.add_template_global(one, one.__name__)
