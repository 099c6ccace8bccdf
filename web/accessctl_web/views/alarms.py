"""Alarms as procedure 3 wants them: the list, and each with its file, where it goes from hand to hand."""

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.people import Permission
from accessctl.services.alarm_files import Which
from accessctl.services.bulletin import Topic
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed
from accessctl_web.messages import Refusal
from accessctl_web.navigation import follow

pages = Blueprint("alarms", __name__, url_prefix="/alarmas")

SHOWN = {"abiertas": Which.OPEN, "mias": Which.MINE, "funcion": Which.ROLE, "todas": Which.ALL}


@pages.get("/")
@needs(Permission.ALARMS_SEE)
def show() -> str:
    """The most urgent first: those not closed, mine, those of my role, or all; of one area where it is asked for."""
    follow(Topic.ALARMS)
    shown = request.args.get("ver", "")
    shown = shown if shown in SHOWN else "abiertas"
    area = request.args.get("area", "")[:200]
    lines = desks().alarm_files.listed(actor(), SHOWN[shown], area=area)
    return render_template(
        "alarms/list.html", lines=lines, shown=shown, area=area, areas=desks().alarm_files.areas(), which=tuple(SHOWN)
    )


def _file(alarm: str, refusal: Refusal | None = None) -> str:
    return render_template("alarms/file.html", file=desks().alarm_files.file(actor(), alarm), refusal=refusal)


@pages.get("/<alarm>")
@needs(Permission.ALARMS_SEE)
def file(alarm: str) -> str:
    """One alarm: whose it is, what is to be done next, and everything that happened to it."""
    return _file(alarm)


def _act(alarm: str, act: Callable[[], object], said: str) -> Response:
    return attempt(
        act,
        then=url_for("alarms.file", alarm=alarm),
        again=lambda refusal: _file(alarm, refusal),
        said=said,
    )


@pages.post("/<alarm>/asignar")
@needs(Permission.ALARMS_ASSIGN)
def assign(alarm: str) -> Response:
    """P3.04: to a technician of the area."""
    said = gettext("Alarma asignada.")
    return _act(alarm, lambda: desks().alarms.assign(actor(), alarm, technician=typed("technician")), said)


@pages.post("/<alarm>/atender")
@needs(Permission.ALARMS_TAKE)
def acknowledge(alarm: str) -> Response:
    """P3.05: somebody takes it."""
    said = gettext("La alarma es suya.")
    return _act(alarm, lambda: desks().alarms.acknowledge(actor(), alarm, comment=typed("comment")), said)


@pages.post("/<alarm>/resolver")
@needs(Permission.ALARMS_TAKE)
def resolve(alarm: str) -> Response:
    """P3.05: solved, with its cause."""
    said = gettext("Resuelta: otra persona la comprueba.")
    return _act(alarm, lambda: desks().alarms.resolve(actor(), alarm, cause=typed("cause")), said)


@pages.post("/<alarm>/reabrir")
@needs(Permission.ALARMS_HANDLE)
def reopen(alarm: str) -> Response:
    """P3.07, no: back to assignment."""
    said = gettext("Vuelve a asignarse.")
    return _act(alarm, lambda: desks().alarms.reopen(actor(), alarm, comment=typed("comment")), said)


@pages.post("/<alarm>/verificar")
@needs(Permission.ALARMS_HANDLE)
def verify(alarm: str) -> Response:
    """P3.07, yes: another person verifies; then it is closed."""
    said = gettext("Comprobada: la alarma queda cerrada.")
    return _act(alarm, lambda: desks().alarms.verify(actor(), alarm), said)
