"""The printed register against the record: which were printed, and how one differs, line by line (N4.1)."""

from flask import Blueprint, Response, make_response, render_template

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission
from accessctl.services.register_comparison import COLUMNS, HEADINGS, Comparison, read_paper
from accessctl_web.access import needs, takes_upload
from accessctl_web.desks import actor, desks, put_on_record
from accessctl_web.forms import upload
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.views.record import attached

pages = Blueprint("register_comparison", __name__, url_prefix="/visitas/registros-impresos")


@pages.get("/")
@needs(Permission.EVENTS_SEE)
def show() -> str:
    """The registers that were printed, the newest first."""
    return render_template("visits/printings.html", found=desks().register_comparison.printings(actor()))


@pages.post("/<int:number>")
@needs(Permission.EVENTS_SEE)
@takes_upload
def compare(number: int) -> Response:
    """One of them against the record as it is now; what the sheet says is typed in as CSV, or what was printed."""
    found: Comparison | None = None
    refusal: Refusal | None = None
    try:
        sent = upload("paper")
        lines = None if sent is None else read_paper(sent.content)
        found = desks().register_comparison.compare(actor(), number, lines)
    except AccessError as error:
        put_on_record(error)
        refusal = refusal_of(error)
    page = render_template(
        "visits/comparison.html",
        found=found,
        number=number,
        columns=[HEADINGS[one] for one in COLUMNS],
        refusal=refusal,
    )
    return make_response(page, int(refusal.status) if refusal else 200)


@pages.post("/<int:number>/lineas.csv")
@needs(Permission.EVENTS_EXPORT)
def sheet(number: int) -> Response:
    """The lines as they were printed, to type the sheet in over."""
    return attached(desks().register_comparison.sheet(actor(), number), f"registro-{number}.csv")
