"""The day's differences: where reader, escort and register do not say the same."""

from datetime import timedelta

from flask import Blueprint, render_template

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks
from accessctl_web.forms import asked_day
from accessctl_web.language import today
from accessctl_web.messages import refusal_of

pages = Blueprint("visit_differences", __name__, url_prefix="/visitas/diferencias")


@pages.get("/")
@needs(Permission.VISIT_SEE)
def show() -> str:
    """Those of a day, of today where none is named; a day that is no day shows today's, and says so."""
    refusal = None
    try:
        day = asked_day("dia") or today()
    except AccessError as error:
        day, refusal = today(), refusal_of(error)
    found = desks().visit_differences.differences(actor(), min(day, today() + timedelta(days=1)))
    folios = desks().visit_papers.folio_report(actor())
    return render_template("visits/differences.html", found=found, day=day, folios=folios, refusal=refusal)
