"""The kiosk: large, one thing a page, for touch. Whoever visits finds their visit, reads the briefing and signs.

It runs in the session of whoever attends the entrance (reception, guard). A page says only what its visitor needs:
nothing is listed before three letters were typed, and a document is asked for and never shown. No page of the kiosk
leads into the panel, and each returns to the first one by itself.
"""

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response

from accessctl.domain.people import Permission
from accessctl.domain.visits import VisitState
from accessctl.services.visit_files import VisitLine
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, number, strokes
from accessctl_web.messages import Refusal

pages = Blueprint("kiosk", __name__, url_prefix="/kiosco")

SHORTEST, MOST = 3, 6  # characters to look for, matches to choose from
COMES = frozenset({VisitState.AUTHORISED, VisitState.REGISTERED, VisitState.SIGNED})


def _matches(text: str) -> list[VisitLine]:
    """Today's visits that may still enter, by parts of the name or of the document."""
    words = text.casefold().split()
    if len("".join(words)) < SHORTEST:
        return []
    found = []
    for line in desks().visit_files.today(actor()):
        document = line.visit.document.number.casefold() if line.visit.document else ""
        name = line.visit.name.casefold()
        if line.visit.state in COMES and (all(word in name for word in words) or "".join(words) in document):
            found.append(line)
    return found[:MOST]


@pages.get("/")
@needs(Permission.VISIT_ATTEND)
def find() -> str:
    """Who are you? By name or document."""
    text = request.args.get("q", "").strip()[:120]
    return render_template("kiosk/find.html", text=text, lines=_matches(text))


def _briefing(visit: str, refusal: Refusal | None = None) -> str:
    file = desks().visit_files.file(actor(), visit)
    return render_template("kiosk/briefing.html", file=file, visit=file.line.visit, refusal=refusal)


@pages.get("/<visit>")
@needs(Permission.VISIT_ATTEND)
def briefing(visit: str) -> str:
    """The safety briefing; before P4.02, a word of patience."""
    return _briefing(visit)


@pages.post("/<visit>")
@needs(Permission.VISIT_ATTEND)
def read(visit: str) -> Response:
    """It was read: that is a field of the register."""
    return attempt(
        lambda: desks().visit_register.brief(actor(), visit),
        then=url_for("kiosk.signing", visit=visit),
        again=lambda refusal: _briefing(visit, refusal),
    )


def _signing(visit: str, refusal: Refusal | None = None) -> str:
    file = desks().visit_files.file(actor(), visit)
    return render_template("kiosk/sign.html", file=file, visit=file.line.visit, refusal=refusal)


@pages.get("/<visit>/firma")
@needs(Permission.VISIT_ATTEND)
def signing(visit: str) -> str:
    """P4.04: the page to sign."""
    return _signing(visit)


@pages.post("/<visit>/firma")
@needs(Permission.VISIT_ATTEND)
def sign(visit: str) -> Response:
    """P4.04 at the kiosk."""
    return attempt(
        lambda: desks().visit_register.sign(
            actor(),
            visit,
            strokes=strokes("strokes", norm="P4.04"),
            width=number("width"),
            height=number("height"),
        ),
        then=url_for("kiosk.done", visit=visit),
        again=lambda refusal: _signing(visit, refusal),
    )


@pages.get("/<visit>/listo")
@needs(Permission.VISIT_ATTEND)
def done(visit: str) -> str:
    """What happens next; after a while the first page comes back by itself."""
    file = desks().visit_files.file(actor(), visit)
    return render_template("kiosk/done.html", file=file, visit=file.line.visit)
