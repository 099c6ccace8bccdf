"""Alarms as procedure 3 wants them: taken with a comment, resolved with a cause, verified by another."""

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed
from accessctl_web.messages import Refusal

pages = Blueprint("alarms", __name__, url_prefix="/alarmas")


def _page(refusal: Refusal | None = None, refused: str = "") -> str:
    every = request.args.get("todas") == "1"
    found = desks().alarms.find(open_only=not every)
    return render_template("alarms/list.html", alarms=found, every=every, refusal=refusal, refused=refused)


def _act(alarm: str, act: Callable[[], object]) -> Response:
    return attempt(
        act,
        then=url_for("alarms.show"),
        again=lambda refusal: _page(refusal, alarm),
        said=gettext("Quedó registrado."),
    )


@pages.get("/")
@needs(Permission.ALARMS_SEE)
def show() -> str:
    """Alarms that are not closed yet, or all."""
    return _page()


@pages.post("/<alarm>/atender")
@needs(Permission.ALARMS_HANDLE)
def acknowledge(alarm: str) -> Response:
    """Somebody takes it."""
    return _act(alarm, lambda: desks().alarms.acknowledge(actor(), alarm, comment=typed("comment")))


@pages.post("/<alarm>/resolver")
@needs(Permission.ALARMS_HANDLE)
def resolve(alarm: str) -> Response:
    """Solved, with its cause."""
    return _act(alarm, lambda: desks().alarms.resolve(actor(), alarm, cause=typed("cause")))


@pages.post("/<alarm>/reabrir")
@needs(Permission.ALARMS_HANDLE)
def reopen(alarm: str) -> Response:
    """Not solved after all."""
    return _act(alarm, lambda: desks().alarms.reopen(actor(), alarm, comment=typed("comment")))


@pages.post("/<alarm>/verificar")
@needs(Permission.ALARMS_HANDLE)
def verify(alarm: str) -> Response:
    """Another person verifies; then it is closed."""
    return _act(alarm, lambda: desks().alarms.verify(actor(), alarm))
