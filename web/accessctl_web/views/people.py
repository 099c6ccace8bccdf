"""People: found, registered, corrected, and everything that is held on one of them; the picker of the forms."""

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission, Person
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, typed
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.views.papers import pdf
from accessctl_web.views.record import attached

pages = Blueprint("people", __name__, url_prefix="/personas")

PICKED = frozenset(
    {"beneficiary", "requester", "person", "requested_by", "visitor", "host", "relief"}
)  # fields that hold a person


@pages.get("/")
@needs(Permission.PEOPLE_SEE)
def show() -> str:
    """People by name, document or number."""
    text = request.args.get("q", "")[:120]
    return render_template("people/list.html", people=desks().people.find(text, limit=100), text=text)


def _registered() -> Person:
    return desks().people.register(
        actor(),
        full_name=typed("full_name"),
        document_kind=typed("document_kind"),
        document_number=typed("document_number"),
        email=typed("email"),
        department=typed("department"),
        position=typed("position"),
    )


def _form(refusal: Refusal | None = None) -> str:
    return render_template("people/new.html", refusal=refusal)


@pages.get("/nueva")
@needs(Permission.PEOPLE_EDIT)
def new() -> str:
    """The form for somebody who is not on file."""
    return _form()


@pages.post("/nueva")
@needs(Permission.PEOPLE_EDIT)
def register() -> Response:
    """Put somebody on file."""
    made: list[str] = []
    return attempt(
        lambda: made.append(_registered().id),
        then=lambda: url_for("people.file", person=made[0]),
        again=_form,
        said=gettext("Persona registrada."),
    )


@pages.get("/elegir")
@needs(Permission.PEOPLE_SEE, Permission.ACCOUNTS_MANAGE)
def pick() -> str:
    """The matches for a picker: nothing until two characters were typed."""
    field = request.args.get("field", "")
    if field not in PICKED:
        raise NotFound
    text = request.args.get(f"{field}_q", "").strip()[:120]
    found = desks().people.find(text, limit=8) if len(text) >= 2 else []
    return render_template("people/matches.html", people=found, field=field, text=text)


@pages.post("/elegir")
@needs(Permission.PEOPLE_EDIT)
def register_and_pick() -> tuple[str, int]:
    """Put somebody on file from within a form, and have them picked there."""
    field = request.args.get("field", "")
    if field not in PICKED:
        raise NotFound
    try:
        person = _registered()
    except AccessError as error:
        refusal = refusal_of(error)
        return render_template("people/register_part.html", field=field, refusal=refusal, opened=True), 200
    return render_template("people/picked.html", field=field, person=person), 200


@pages.get("/<person>")
@needs(Permission.PEOPLE_SEE)
def file(person: str) -> str:
    """Everything that is held on one person."""
    return _file(person)


def _file(person: str, refusal: Refusal | None = None) -> str:
    return render_template("people/file.html", file=desks().people.file(person), refusal=refusal)


@pages.post("/<person>/extracto")
@needs(Permission.EVENTS_EXPORT)
def extract(person: str) -> Response:
    """Everything that is held on one person, for that person; who took it is recorded."""
    return attached(desks().extracts.as_json(actor(), person), f"extracto-{desks().people.get(person).number}.json")


@pages.post("/<person>/extracto.pdf")
@needs(Permission.EVENTS_EXPORT)
def extract_on_paper(person: str) -> Response:
    """The same summed up on paper."""
    return pdf(desks().extracts.as_pdf(actor(), person), f"extracto-{desks().people.get(person).number}")


@pages.post("/<person>")
@needs(Permission.PEOPLE_EDIT)
def correct(person: str) -> Response:
    """Correct what was typed."""
    return attempt(
        lambda: desks().people.correct(
            actor(),
            person,
            full_name=typed("full_name"),
            email=typed("email"),
            department=typed("department"),
            position=typed("position"),
        ),
        then=url_for("people.file", person=person),
        again=lambda refusal: _file(person, refusal),
        said=gettext("Datos corregidos."),
    )
