"""Doors, devices and what happens at them, live."""

from flask import Blueprint, Response, current_app, render_template, request, stream_with_context, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.people import Permission
from accessctl.services.bulletin import Topic
from accessctl.services.store import EventFilter, EventRow
from accessctl.services.watch import DOOR_EVENTS
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt
from accessctl_web.messages import Refusal
from accessctl_web.navigation import follow
from accessctl_web.streams import Streams, entries, last_seen

pages = Blueprint("doors", __name__)

SHOWN = 100


@pages.get("/puertas")
@needs(Permission.DOORS_SEE)
def show() -> str:
    """The doors by zone, the devices that guard them, and how these are."""
    return _page()


def _page(refusal: Refusal | None = None) -> str:
    me = actor()
    follow(Topic.DOORS)
    return render_template(
        "doors/list.html", doors=desks().watch.doors(me), devices=desks().watch.devices(me), refusal=refusal
    )


@pages.post("/puertas/<door>/abrir")
@needs(Permission.DEVICES_MANAGE)
def unlock(door: str) -> BaseResponse:
    """Open a door from the panel; an order that is not carried out within seconds lapses."""
    return attempt(
        lambda: desks().watch.unlock(actor(), door),
        then=url_for("doors.show"),
        again=_page,
        said=gettext("Orden de apertura enviada: vence en cinco segundos."),
    )


@pages.post("/equipos/<device>/aplicar")
@needs(Permission.DEVICES_MANAGE)
def apply(device: str) -> BaseResponse:
    """Compare a device with what it should hold, now."""
    return attempt(
        lambda: desks().watch.apply_now(actor(), device),
        then=url_for("doors.show"),
        again=_page,
        said=gettext("Se pidió comparar y actualizar el equipo."),
    )


def _rows(which: EventFilter, *, newest: bool) -> list[EventRow]:
    return desks().watch.rows(actor(), which, limit=SHOWN, newest=newest)


@pages.get("/eventos")
@needs(Permission.EVENTS_SEE)
def events() -> str:
    """What happened at the doors last, and what happens now."""
    door = request.args.get("puerta", "")[:64]
    size = desks().watch.size()
    rows = _rows(EventFilter(events=DOOR_EVENTS, doors=(door,) if door else ()), newest=True)
    after = max([row.index for row in rows], default=size - 1) if door else size - 1
    return render_template("doors/events.html", rows=rows, after=after, door=door, doors=desks().watch.doors(actor()))


@pages.get("/events/live")
@needs(Permission.EVENTS_SEE)
def live() -> Response:
    """The same as a stream, from an entry on."""
    streams: Streams = current_app.extensions["accessctl_streams"]
    door = request.args.get("puerta", "")[:64]
    asked = last_seen(request.headers.get("Last-Event-ID"), request.args.get("after"))
    after = asked if asked is not None else desks().watch.size() - 1

    def rows(index: int) -> list[EventRow]:
        return _rows(EventFilter(events=DOOR_EVENTS, doors=(door,) if door else (), after_index=index), newest=False)

    def draw(row: EventRow) -> str:
        return render_template("doors/row.html", row=row)

    told = streams.follow(after, entries(rows, draw))
    response = Response(stream_with_context(told), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response
