"""Error pages: what happened, whose step or norm it is, and what to do next, in the reader's language.

A refusal (`AccessError`) that a view did not place beside its form lands here, and so does every HTTP error. For htmx
the same words come as a fragment for the notice area, so that the page and what was typed in it stay. Bugs are logged
with a reference that the page shows, and never described to whoever is looking.
"""

import secrets
from http import HTTPStatus

import structlog
from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as BaseResponse

from accessctl.domain.errors import AccessError, Reason
from accessctl.services.record_findings import RecordBroken
from accessctl_web.desks import put_on_record
from accessctl_web.findings import finding
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.names import N_, norm_title

_LOG = structlog.get_logger(__name__)

TITLES = {
    400: N_("La petición no se entiende"),
    401: N_("Hace falta iniciar sesión"),
    403: N_("Esta página no es para su función"),
    404: N_("No está aquí"),
    405: N_("Eso no se puede hacer así"),
    409: N_("No se puede todavía"),
    413: N_("El envío es demasiado grande"),
    415: N_("Esa clase de archivo no se acepta"),
    429: N_("Demasiados intentos"),
    500: N_("Algo falló de nuestro lado"),
    503: N_("Un equipo no responde"),
}

ADVICE = {
    400: N_("Vuelva a la página anterior: lo escrito sigue allí. Recárguela y envíelo de nuevo."),
    403: N_("Si le corresponde, pida a administración que su cuenta tenga la función necesaria."),
    404: N_("Puede que la dirección esté incompleta o que el registro ya no se muestre."),
    405: N_("Vuelva a la página anterior y use sus botones."),
    409: N_("Vuelva a la página anterior: lo escrito sigue allí."),
    413: N_("Aquí cabe un envío de %(most)s a lo sumo. Vuelva a la página anterior: lo escrito sigue allí."),
    415: N_("Adjunte un archivo PDF, JPEG o PNG."),
    429: N_("La espera crece con cada intento fallido."),
    500: N_("No se guardó nada a medias. Intente de nuevo; si se repite, dé esta referencia a administración."),
    503: N_("Los demás equipos siguen trabajando. Intente de nuevo en unos segundos."),
}


def is_fragment() -> bool:
    """Whether htmx asks for a part of a page (a boosted navigation is a whole page)."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def _most() -> str:
    """How much may be sent to this address: `512 KB`, `10 MB`."""
    most = request.max_content_length or current_app.config["MAX_CONTENT_LENGTH"]
    return f"{most >> 20} MB" if most >> 20 else f"{most >> 10} KB"


def _answer(status: int, *, refusal: Refusal | None = None, reference: str = "", seconds: str = "") -> Response:
    g.asks_nothing = True  # whatever failed is not to fail again at the head of the page that tells
    title = TITLES.get(status, TITLES[400])
    advice = ADVICE.get(status, "")
    body = render_template(
        "error_fragment.html" if is_fragment() else "error.html",
        status=status,
        title=gettext(title),
        advice=gettext(advice) % {"most": _most()} if advice else "",
        refusal=refusal,
        reference=reference,
    )
    response = make_response(body, status)
    if seconds:
        response.headers["Retry-After"] = seconds
    return response


def _refused(error: AccessError) -> Response:
    if error.reason is not Reason.NOT_FOUND:  # an address that leads nowhere is no act of anybody
        put_on_record(error)
    refusal = refusal_of(error)
    return _answer(int(refusal.status), refusal=refusal, seconds=str(error.details.get("seconds", "")))


def _broken(error: RecordBroken) -> Response:
    """The stored record is not what was signed: nothing is signed, proven or exported from it any more."""
    _LOG.error("the record is not what was signed", path=request.path, why=error.why.value, index=error.index)
    norm = "N10.2"
    refusal = Refusal(
        reason="record_broken",
        sentence=finding(error),
        norm=norm,
        norm_title=norm_title(norm),
        status=HTTPStatus.CONFLICT,
    )
    return _answer(HTTPStatus.CONFLICT, refusal=refusal)


def _http(error: HTTPException) -> BaseResponse:
    if error.response is not None:  # a redirect that the router itself asks for
        return error.get_response()
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.UNAUTHORIZED:
        return _sign_in()
    if isinstance(error, InternalServerError):
        reference = secrets.token_hex(4)
        kind = type(error.original_exception or error).__name__  # Flask has logged the trace; values stay out of ours
        _LOG.error("page failed", reference=reference, path=request.path, error=kind)
        return _answer(status, reference=reference)
    return _answer(status)


def _csrf(error: CSRFError) -> BaseResponse:
    _LOG.warning("form token refused", path=request.path, why=error.description)
    return _answer(HTTPStatus.BAD_REQUEST)


def _sign_in() -> BaseResponse:
    """To the sign-in page, and back to where the person was going; htmx is told to move the whole page there. A stream
    only ends: following it there, it would get a session of its own while somebody is just signing in.
    """
    if "text/event-stream" in request.headers.get("Accept", ""):
        return make_response("", HTTPStatus.UNAUTHORIZED)
    target = request.full_path.rstrip("?") if request.method == "GET" and not is_fragment() else None
    where = url_for("sign_in.show", next=target)
    if is_fragment():
        response = make_response("", HTTPStatus.UNAUTHORIZED)
        response.headers["HX-Redirect"] = where
        return response
    if request.method == "GET":
        return redirect(where, HTTPStatus.SEE_OTHER)
    return _answer(HTTPStatus.UNAUTHORIZED)


def install(app: Flask) -> None:
    """Refusals, HTTP errors and bugs each get their page."""
    app.register_error_handler(AccessError, _refused)
    app.register_error_handler(RecordBroken, _broken)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
