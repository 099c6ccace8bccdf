"""Exports of what happened: asked for by day, door and person; each with its manifest, and itself on the record."""

import secrets

from flask import Blueprint, Response, current_app, render_template, send_file, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Permission
from accessctl.services.export_lines import Format
from accessctl.services.store import EventFilter
from accessctl.services.watch import DOOR_EVENTS
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.export_shelf import ExportShelf
from accessctl_web.forms import attempt, day, typed
from accessctl_web.language import GUATEMALA, day_bounds, today
from accessctl_web.messages import Refusal
from accessctl_web.settings import PanelSettings

pages = Blueprint("exports", __name__, url_prefix="/exportar")


def _shelf() -> ExportShelf:
    settings: PanelSettings = current_app.extensions["accessctl_settings"]
    return ExportShelf(settings.exports, actor().account)


def _filter() -> EventFilter:
    """What the form asks for: whole days of Guatemala, the last one included."""
    first, last = day("since"), day("until")
    if first is not None and last is not None and last < first:
        raise AccessError(Reason.FORM_INCOMPLETE, missing="until")
    door = typed("door")
    return EventFilter(
        since=day_bounds(first)[0] if first else None,
        until=day_bounds(last)[1] if last else None,
        doors=(door,) if door else (),
        person=typed("person"),
        events=DOOR_EVENTS if typed("what", "doors") == "doors" else (),
    )


def _page(refusal: Refusal | None = None) -> str:
    me = actor()
    person = typed("person")
    return render_template(
        "exports/list.html",
        exports=_shelf().exports(),
        doors=desks().watch.doors(me),
        person=desks().people.get(person) if person else None,
        today=today().isoformat(),
        refusal=refusal,
    )


@pages.get("/")
@needs(Permission.EVENTS_EXPORT)
def show() -> str:
    """The form, and the exports that one made."""
    return _page()


@pages.post("/")
@needs(Permission.EVENTS_EXPORT)
def make() -> BaseResponse:
    """Make one."""

    def act() -> None:
        which = _filter()
        fmt: Format = "jsonl" if typed("format") == "jsonl" else "csv"
        shelf = _shelf()
        target = shelf.place(desks().clock().astimezone(GUATEMALA), secrets.token_hex(4), fmt)
        try:
            desks().exports.make(actor(), which=which, fmt=fmt, target=target, public=typed("public") == "1")
        finally:
            shelf.drop_if_missing(target)

    return attempt(act, then=url_for("exports.show"), again=_page, said=gettext("Exportación hecha."))


@pages.get("/<export>/<name>")
@needs(Permission.EVENTS_EXPORT)
def file(export: str, name: str) -> Response:
    """One file of one's own exports."""
    found = _shelf().file(export, name)
    if found is None:
        raise NotFound
    return send_file(found.path, mimetype="application/octet-stream", as_attachment=True, download_name=found.name)
