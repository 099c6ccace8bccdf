"""The sections of the panel: which of them the person may open, and in which one they are."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_babel import gettext
from flask_login import current_user

from accessctl_web.access import EVERYBODY, asked_of
from accessctl_web.names import N_

SECTIONS: tuple[tuple[str, str], ...] = (("home.show", N_("Inicio")),)


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
            current = request.blueprint == endpoint.partition(".")[0]
            shown.append(Place(name=str(gettext(name)), address=url_for(endpoint), current=current))
    return shown


def install(app: Flask) -> None:
    """Give the templates their sections."""
    app.add_template_global(places, "places")
