"""The day's differences: where reader, escort and register do not say the same; and the book of contingency folios."""

from datetime import date, timedelta

from flask import Blueprint, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import asked_day, attempt, typed
from accessctl_web.language import today
from accessctl_web.messages import Refusal, refusal_of

pages = Blueprint("visit_differences", __name__, url_prefix="/visitas/diferencias")


@pages.get("/")
@needs(Permission.VISIT_SEE)
def show() -> str:
    """Those of a day, of today where none is named; a day that is no day shows today's, and says so."""
    try:
        return _page(asked_day("dia") or today())
    except AccessError as error:
        return _page(today(), refusal_of(error))


def _page(day: date, refusal: Refusal | None = None, *, of_folio: bool = False) -> str:
    found = desks().visit_differences.differences(actor(), min(day, today() + timedelta(days=1)))
    return render_template(
        "visits/differences.html",
        found=found,
        day=day,
        folios=desks().folios.report(actor()),
        refusal=refusal,
        of_folio=of_folio,
    )


@pages.post("/folios/anular")
@needs(Permission.VISIT_ATTEND)
def void() -> Response:
    """N4.1: a spoiled folio is void, and says why; then it is not missed."""
    return attempt(
        lambda: desks().folios.void(actor(), typed("folio"), why=typed("why")),
        then=url_for("visit_differences.show", _anchor="folios"),
        again=lambda refusal: _page(today(), refusal, of_folio=True),
        said=gettext("Folio anulado. Consérvelo."),
    )
