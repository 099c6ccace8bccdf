"""Procedure 10 as its people see it: the list, the form of P10.01, and one request with its numbered steps.

The acts of P10.03 are in `enrolment`, those of P10.04 and P10.05 in `delivery`; all of them come back to this page.
"""

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.people import Permission
from accessctl.services.request_desk import RequestForm
from accessctl_web.access import needs, takes_upload
from accessctl_web.desks import actor, desks
from accessctl_web.forms import attempt, chosen, end_of, needed_upload, start_of, typed, upload
from accessctl_web.language import day_bounds, today
from accessctl_web.messages import Refusal
from accessctl_web.request_page import request_page

pages = Blueprint("requests", __name__, url_prefix="/solicitudes")


@pages.get("/")
@needs(Permission.REQUEST_SEE)
def show() -> str:
    """The requests: those that go on, or all."""
    text, every = request.args.get("q", "")[:120], request.args.get("todas") == "1"
    lines = desks().files.find(actor(), open_only=not every, text=text)
    return render_template("requests/list.html", lines=lines, text=text, every=every)


def _form(refusal: Refusal | None = None) -> str:
    people = {name: typed(name) for name in ("beneficiary", "requester")}
    picked = {name: desks().people.get(person) for name, person in people.items() if person}
    choices = desks().files.choices(actor())
    return render_template("requests/new.html", choices=choices, picked=picked, refusal=refusal)


@pages.get("/nueva")
@needs(Permission.REQUEST_REGISTER)
def new() -> str:
    """The form of P10.01."""
    return _form()


@pages.post("/nueva")
@needs(Permission.REQUEST_REGISTER)
@takes_upload
def register() -> BaseResponse:
    """P10.01: register the request with its form."""
    made: list[str] = []

    def act() -> None:
        form = RequestForm(
            beneficiary=typed("beneficiary"),
            requester=typed("requester") or typed("authority"),
            authority=typed("authority"),
            justification=typed("justification"),
            doors=chosen("doors"),
            schedule=typed("schedule"),
            valid_from=start_of("valid_from", day_bounds(today())[0]),
            valid_until=end_of("valid_until"),
            scan=upload("form"),
        )
        made.append(desks().requests.register(actor(), form))

    said = gettext("Solicitud registrada.")
    return attempt(act, then=lambda: url_for("requests.file", case=made[0]), again=_form, said=said)


@pages.get("/<case>")
@needs(Permission.REQUEST_SEE)
def file(case: str) -> str:
    """One request with its steps; what can be done now is shown to whoever is responsible."""
    return request_page(case)


@pages.post("/<case>/formulario")
@needs(Permission.REQUEST_REGISTER, Permission.REQUEST_ASSIGN)
@takes_upload
def attach(case: str) -> BaseResponse:
    """The signed and stamped form arrives later."""
    return attempt(
        lambda: desks().requests.attach_form(actor(), case, needed_upload("form")),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, attach=refusal),
        said=gettext("Formulario adjuntado: la solicitud queda autorizada."),
    )


@pages.post("/<case>/autorizar")
@needs(Permission.REQUEST_SIGN_OFF)
def sign_off(case: str) -> BaseResponse:
    """N10.3: the head authorises."""
    return attempt(
        lambda: desks().requests.sign_off(actor(), case),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, sign_off=refusal),
        said=gettext("Solicitud autorizada."),
    )


@pages.post("/<case>/asignar")
@needs(Permission.REQUEST_ASSIGN)
def assign(case: str) -> BaseResponse:
    """P10.02: give it to a technician."""
    return attempt(
        lambda: desks().requests.assign(actor(), case, technician=typed("technician")),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, assign=refusal),
        said=gettext("Solicitud asignada."),
    )


@pages.post("/<case>/informar")
@needs(Permission.REQUEST_INFORM)
def inform(case: str) -> BaseResponse:
    """P10.06: the requester is informed, and the case closes."""
    return attempt(
        lambda: desks().requests.inform(actor(), case),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, inform=refusal),
        said=gettext("Solicitante informado: la solicitud queda cerrada."),
    )


@pages.post("/<case>/anular")
@needs(Permission.REQUEST_ASSIGN, Permission.REQUEST_SIGN_OFF)
def cancel(case: str) -> BaseResponse:
    """End the case before its delivery."""
    return attempt(
        lambda: desks().requests.cancel(actor(), case, why=typed("why")),
        then=url_for("requests.file", case=case),
        again=lambda refusal: request_page(case, cancel=refusal),
        said=gettext("Solicitud anulada."),
    )


@pages.get("/adjuntos/<attachment>")
@needs(Permission.REQUEST_SEE)
def attachment(attachment: str) -> Response:
    """A scan, to be saved: a browser never opens it as a page of ours."""
    found = desks().files.attachment(actor(), attachment)
    name = secure_filename(found.name) or found.kind
    response = Response(found.content, mimetype=found.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
