"""The record: searched a page at a time, each entry whole with its proof, and how it was saved and signed."""

import json

from flask import Blueprint, Response, render_template, request
from werkzeug.datastructures import MultiDict

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission
from accessctl.record import decode
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks, put_on_record
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.record_pages import Found, find
from accessctl_web.record_query import KINDS, Query

pages = Blueprint("record", __name__, url_prefix="/registro")


def attached(content: bytes, name: str) -> Response:
    """A file to save."""
    response = Response(content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@pages.get("/")
@needs(Permission.EVENTS_SEE)
def show() -> tuple[str, int]:
    """What was asked for, the newest first, a page at a time."""
    refusal: Refusal | None = None
    found = Found()
    try:
        query = Query.of(request.args)
        found = find(query, request.args)
    except AccessError as error:
        put_on_record(error)
        refusal = refusal_of(error)
    asked = MultiDict({name: request.args.get(name, "")[:200] for name in Query.__slots__})
    page = render_template(
        "record/search.html",
        asked=asked,
        found=found,
        doors=desks().watch.doors(actor()),
        person=found.person,
        kinds=KINDS,
        refusal=refusal,
    )
    return page, int(refusal.status) if refusal else 200


@pages.get("/<int:index>")
@needs(Permission.EVENTS_SEE)
def entry(index: int) -> str:
    """One entry: its columns, its canonical bytes, its leaf, and what happened around it."""
    file = desks().watch.entry(actor(), index)
    pretty = json.dumps(decode(file.data), ensure_ascii=False, indent=2)
    return render_template("record/entry.html", file=file, row=file.row, pretty=pretty, raw=file.data.decode())


@pages.post("/<int:index>/prueba")
@needs(Permission.EVENTS_EXPORT)
def prove(index: int) -> Response:
    """The file that proves one entry to a third person; recorded, like every export."""
    disclose = request.form.get("disclose") == "1"
    return attached(desks().keeper.prove(index, actor=actor(), disclose=disclose), f"asiento-{index}.prueba")
