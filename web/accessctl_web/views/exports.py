"""Exports of what happened: asked for as a search is, made outside the request, and fetched when they are complete."""

import secrets
from pathlib import Path
from typing import get_args

from flask import Blueprint, Response, current_app, redirect, render_template, request, send_file, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Permission
from accessctl.services.export_books import BookFormat
from accessctl.services.export_lines import Format
from accessctl.services.store import EventFilter
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.export_room import ExportRoom, Said
from accessctl_web.export_shelf import UNDER_WAY, ExportShelf
from accessctl_web.forms import attempt, typed
from accessctl_web.language import GUATEMALA, today
from accessctl_web.messages import Refusal
from accessctl_web.record_query import KINDS, Query, filter_of
from accessctl_web.settings import PanelSettings
from accessctl_web.told_words import asked_words

pages = Blueprint("exports", __name__, url_prefix="/exportar")

FORMAT_NAMES = {"csv": "CSV", "jsonl": "JSON lines", "xlsx": "XLSX", "pdf": "PDF"}
FORMATS: tuple[Format | BookFormat, ...] = (*get_args(Format), *get_args(BookFormat))


def _shelf() -> ExportShelf:
    settings: PanelSettings = current_app.extensions["accessctl_settings"]
    return ExportShelf(settings.exports, actor().account)


def _format() -> Format | BookFormat:
    wanted = typed("format", "csv")
    for one in FORMATS:
        if one == wanted:
            return one
    raise AccessError(Reason.FORM_INCOMPLETE, missing="format")


def _require_known(which: EventFilter) -> None:
    """What nobody knows is refused at once: an empty export would say that nothing happened."""
    for door in which.doors:
        if all(line.door.id != door for line in desks().watch.doors(actor())):
            raise AccessError(Reason.NOT_FOUND, "N10.2", field="door")
    if which.person:
        desks().people.get(which.person)
    if which.visit and not desks().watch.knows_visit(actor(), which.visit):
        raise AccessError(Reason.NOT_FOUND, "N10.2", field="visit")


def _on_shelf() -> dict[str, object]:
    found = _shelf().exports()
    return {"exports": found, "under_way": any(one.progress in UNDER_WAY for one in found)}


def _page(refusal: Refusal | None = None) -> str:
    me = actor()
    day = today().isoformat()
    given = request.form or request.args or {"since": f"{day}T00:00", "until": f"{day}T23:59", "kind": "doors"}
    asked = {name: given.get(name, "")[:200] for name in Query.__slots__}
    return render_template(
        "exports/list.html",
        asked=asked,
        doors=desks().watch.doors(me),
        person=desks().people.get(asked["person"]) if asked["person"] and not refusal else None,
        kinds=KINDS,
        formats=[(one, FORMAT_NAMES[one]) for one in FORMATS],
        refusal=refusal,
        **_on_shelf(),
    )


@pages.get("/")
@needs(Permission.EVENTS_EXPORT)
def show() -> str:
    """The form, filled in where one comes from a search, and the exports that one made."""
    return _page()


@pages.post("/")
@needs(Permission.EVENTS_EXPORT)
def make() -> BaseResponse:
    """Have one made: what was typed is judged now, the rest happens in the export room."""

    def act() -> None:
        me, exports = actor(), desks().exports
        which, fmt, public = filter_of(Query.of(request.form)), _format(), typed("public") == "1"
        _require_known(which)
        room: ExportRoom = current_app.extensions["accessctl_exports"]
        room.require_place()
        at = desks().clock().astimezone(GUATEMALA)
        name = f"registro-{at:%Y%m%d-%H%M%S}{'-publico' if public else ''}.{fmt}"
        about = asked_words(desks().searches.told(me, which, public=public))
        folder = _shelf().place(at, secrets.token_hex(4), name, about)

        def made(target: Path, said: Said) -> None:
            exports.make(me, which=which, fmt=fmt, target=target, public=public, progress=said)

        room.take(folder, made)

    said = gettext("Exportación en marcha: aparece abajo cuando esté completa.")
    return attempt(act, then=url_for("exports.show"), again=_page, said=said)


@pages.get("/avance")
@needs(Permission.EVENTS_EXPORT)
def progress() -> str:
    """The part that changes, asked again every second while something is being made."""
    return render_template("exports/shelf.html", **_on_shelf())


@pages.post("/<export>/quitar")
@needs(Permission.EVENTS_EXPORT)
def drop(export: str) -> BaseResponse:
    """Give up one's own export, or take it off the shelf."""
    if not _shelf().stop(export):
        raise NotFound
    return redirect(url_for("exports.show"), 303)


@pages.get("/<export>/<name>")
@needs(Permission.EVENTS_EXPORT)
def file(export: str, name: str) -> Response:
    """One file of one's own exports."""
    found = _shelf().file(export, name)
    if found is None:
        raise NotFound
    return send_file(found.path, mimetype="application/octet-stream", as_attachment=True, download_name=found.name)
