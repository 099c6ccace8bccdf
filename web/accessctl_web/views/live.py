"""The stream that open pages follow: that something concerns them, and how many alarms are open."""

from flask import Blueprint, Response, current_app, request, stream_with_context

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.people import Permission
from accessctl.services.bulletin import Topic
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.streams import Look, Streams, last_seen, message

pages = Blueprint("live", __name__)

RESTS_S = 1.0  # between two changes of one page: a flood of entries is drawn once a second, not once an entry
COUNTED = "count"  # the name of the page that shows nothing but the count at its head


@pages.get("/en-vivo/<topic>")
@needs(Permission.ALARMS_SEE, Permission.VISIT_SEE, Permission.DOORS_SEE)
def follow(topic: str) -> Response:
    """From an entry on: `changed` where the page is to be drawn anew, `alarms` with their number. The head of a page
    alone, which every page has, is worth no open stream: it gets a short answer every few seconds."""
    if topic != COUNTED and topic not in set(Topic):
        raise AccessError(Reason.NOT_FOUND, "", field="topic")
    streams: Streams = current_app.extensions["accessctl_streams"]
    asked = last_seen(request.headers.get("Last-Event-ID"), request.args.get("after"))
    after = asked if asked is not None else desks().bulletin.known()
    if topic == COUNTED:
        said = streams.answer(after, _counting())
    else:
        desks().bulletin.since(actor(), Topic(topic), after)  # refused before anything is streamed
        said = streams.follow(after, _news(Topic(topic)), rests_s=RESTS_S)
    response = Response(stream_with_context(said), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _counting() -> Look:
    """The number of open alarms, where it may be seen and may have changed."""

    def look(after: int) -> tuple[int, str]:
        if not actor().may(Permission.ALARMS_SEE):
            return after, ""
        news = desks().bulletin.since(actor(), Topic.ALARMS, after)
        count = str(desks().alarm_files.count(actor())) if news.concerned else ""
        return news.known, message("alarms", news.known, count) if news.concerned else ""

    return look


def _news(topic: Topic) -> Look:
    """Both: what the page shows, and the number at its head."""
    counting = _counting()

    def look(after: int) -> tuple[int, str]:
        news = desks().bulletin.since(actor(), topic, after)
        if news.known == after:
            return after, ""
        _, count = counting(after)
        changed = message("changed", news.known, topic.value) if news.concerned else ""
        return news.known, changed + count

    return look
