"""How far the record has grown, signed: the note to take home, and the proof that a note of before still holds."""

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.people import Permission
from accessctl.services.record_findings import Checkpoint, RecordBroken
from accessctl.services.saved_letter import as_signed
from accessctl_web.access import needs
from accessctl_web.desks import desks
from accessctl_web.findings import finding
from accessctl_web.forms import typed
from accessctl_web.views.record import attached

pages = Blueprint("checkpoints", __name__, url_prefix="/punto-de-control")

LONGEST_NOTE = 8 * 1024  # a note is a few hundred bytes; one with many co-signatures a few thousand


def _page(old: Checkpoint | None = None, note: str = "", wrong: str = "") -> str:
    keeper = desks().keeper
    signed = keeper.checkpoint()
    return render_template(
        "record/checkpoint.html",
        signed=keeper.opened(signed),
        note=signed,
        at=desks().clock(),
        verifier_key=keeper.verifier_key,
        old=old,
        held=note,
        wrong=wrong,
    )


@pages.get("/")
@needs(Permission.EVENTS_SEE)
def show() -> str:
    """The newest checkpoint, signed now where the record grew since the last one."""
    return _page()


@pages.get("/nota")
@needs(Permission.EVENTS_SEE)
def note() -> Response:
    """The signed note, to keep."""
    keeper = desks().keeper
    signed = keeper.checkpoint()
    return attached(signed.encode(), f"punto-de-control-{keeper.opened(signed).size}.nota")


@pages.get("/llave")
@needs(Permission.EVENTS_SEE)
def key() -> Response:
    """The public key, to keep."""
    return attached(f"{desks().keeper.verifier_key}\n".encode(), "registro.llave")


def _held() -> str:
    """The note that somebody kept, as a file or as text; never more of it than a note has."""
    file = request.files.get("file")
    if file is not None and file.filename:
        with file.stream as stream:
            content: bytes = stream.read(LONGEST_NOTE + 1)
        return as_signed(content.decode("utf-8", "replace"))
    return as_signed(typed("note"))[: LONGEST_NOTE + 1]


@pages.post("/continuidad")
@needs(Permission.EVENTS_SEE)
def extension() -> BaseResponse:
    """Whether the record of a note that one holds is the beginning of today's; the file that proves it."""
    held = _held()
    try:
        old = desks().keeper.opened(held)
        content = desks().keeper.extension(held)
    except RecordBroken as found:
        return make_response(_page(note=held[:LONGEST_NOTE], wrong=finding(found)), 409)
    if typed("save") == "1":
        return attached(content, f"continuidad-desde-{old.size}.json")
    return make_response(_page(old=old, note=held))
