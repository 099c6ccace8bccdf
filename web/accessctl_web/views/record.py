"""The record: searched a page at a time, each entry whole with its proof, and how it was saved and signed."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks, put_on_record
from accessctl_web.forms import attempt, typed
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.record_pages import Found, find
from accessctl_web.record_query import KINDS, Query

pages = Blueprint("record", __name__, url_prefix="/registro")


def attached(content: bytes, name: str) -> Response:
    """A file to save."""
    response = Response(content, mimetype="application/octet-stream")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _page(given: Mapping[str, str], refusal: Refusal | None = None) -> tuple[str, int]:
    found = Found()
    try:
        found = find(Query.of(given), given)
    except AccessError as error:
        put_on_record(error)
        refusal = refusal or refusal_of(error)
    page = render_template(
        "record/search.html",
        asked=MultiDict({name: given.get(name, "")[:200] for name in Query.__slots__}),
        found=found,
        saved=[(one, _fields(one.query)) for one in desks().searches.saved(actor())],
        doors=desks().watch.doors(actor()),
        person=found.person,
        kinds=KINDS,
        refusal=refusal,
    )
    return page, int(refusal.status) if refusal else 200


def _fields(query: str) -> dict[str, str]:
    """The fields of a search that was kept; nothing else of it gets into an address."""
    return {name: value for name, value in parse_qsl(query, max_num_fields=20) if name in Query.__slots__}


@pages.get("/")
@needs(Permission.EVENTS_SEE)
def show() -> tuple[str, int]:
    """What was asked for, the newest first, a page at a time; one's own searches beside it."""
    return _page(request.args)


@pages.post("/busquedas")
@needs(Permission.EVENTS_SEE)
def keep() -> BaseResponse:
    """Keep a search under a name."""
    query = {name: typed(name) for name in Query.__slots__}
    asked = urlencode({name: value for name, value in query.items() if value})

    def act() -> None:
        desks().searches.save(actor(), name=typed("name"), query=urlencode(Query.of(query).asked()))

    return attempt(
        act,
        then=f"{url_for('record.show')}?{asked}",
        again=lambda refusal: _page(query, refusal)[0],
        said=gettext("Búsqueda guardada: solo usted la ve."),
    )


@pages.post("/busquedas/<search>/olvidar")
@needs(Permission.EVENTS_SEE)
def forget(search: str) -> BaseResponse:
    """Drop one of one's own searches."""
    return attempt(
        lambda: desks().searches.forget(actor(), search),
        then=url_for("record.show"),
        again=lambda refusal: _page({}, refusal)[0],
    )


@pages.get("/<int:index>")
@needs(Permission.EVENTS_SEE)
def entry(index: int) -> str:
    """One entry: its columns, its canonical bytes, its leaf, and what happened around it."""
    file = desks().watch.entry(actor(), index)
    pretty = json.dumps(json.loads(file.data), ensure_ascii=False, indent=2)
    return render_template("record/entry.html", file=file, row=file.row, pretty=pretty, raw=file.data.decode())


@pages.post("/<int:index>/prueba")
@needs(Permission.EVENTS_EXPORT)
def prove(index: int) -> Response:
    """The file that proves one entry to a third person; recorded, like every export."""
    disclose = request.form.get("disclose") == "1"
    return attached(desks().keeper.prove(index, actor=actor(), disclose=disclose), f"asiento-{index}.prueba")
