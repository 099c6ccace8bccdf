"""Reports: rows on the screen, the same as CSV and on paper, all from one query layer."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import chain

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import NotFound

from accessctl.domain.errors import AccessError
from accessctl.domain.people import Permission
from accessctl.services.report_rows import ANYTHING, Wanted
from accessctl.services.reports import REPORTS, ReportName
from accessctl.services.store import EventFilter
from accessctl_web.access import needs
from accessctl_web.desks import actor, desks, put_on_record
from accessctl_web.language import today
from accessctl_web.messages import Refusal, refusal_of
from accessctl_web.record_query import Query
from accessctl_web.views.papers import pdf

pages = Blueprint("reports", __name__, url_prefix="/informes")

SEES = (Permission.EVENTS_SEE, Permission.CARDS_SEE)
SHOWN = 100
FIELDS = ("since", "until", "door", "person")
COUNTED = (ReportName.ENTRIES, ReportName.REFUSALS)
USUAL = timedelta(days=31)


def _name(report: str) -> ReportName:
    if report not in set(ReportName):
        raise NotFound
    return ReportName(report)


def _asked(name: ReportName) -> dict[str, str]:
    """The fields as they were typed; what is counted over a time begins a month ago where nothing was."""
    asked = {field: request.args.get(field, "")[:200] for field in FIELDS}
    if name in COUNTED and not any(asked.values()):
        asked["since"] = f"{today() - USUAL:%Y-%m-%dT00:00}"
    return asked


def _wanted(asked: Mapping[str, str]) -> Wanted:
    """What the fields ask for, in the words of a search. Raises `AccessError`."""
    query = Query.of(asked)
    since, until = query.bounds()
    if query.person:
        desks().people.get(query.person)
    return Wanted(since=since, until=until, door=query.door, person=query.person)


def _searched(wanted: Wanted) -> EventFilter:
    """The search that a report about somebody is."""
    doors = (wanted.door,) if wanted.door else ()
    return EventFilter(since=wanted.since, until=wanted.until, doors=doors, person=wanted.person)


@pages.get("/")
@needs(*SEES)
def show() -> str:
    """The reports that one may see."""
    found = [name for name, report in REPORTS.items() if actor().may(report.permission)]
    return render_template("reports/list.html", reports=found, about=REPORTS)


@pages.get("/<report>")
@needs(*SEES)
def page(report: str) -> tuple[str, int]:
    """A piece of one report, and the way to the next."""
    name = _name(report)
    refusal: Refusal | None = None
    wanted, asked = ANYTHING, _asked(name)
    try:
        wanted = _wanted(asked)
        found = desks().reports.page(actor(), name, wanted, after=request.args.get("after", ""), limit=SHOWN)
        about_somebody = wanted.person and REPORTS[name].permission is Permission.EVENTS_SEE
        if about_somebody and not request.args.get("after"):  # once for a report, not for each of its pages
            desks().searches.searched(actor(), _searched(wanted))
    except AccessError as error:
        put_on_record(error)
        refusal, found = refusal_of(error), None
    text = render_template(
        "reports/page.html",
        name=name,
        norm=REPORTS[name].norm,
        found=found,
        asked=asked,
        given={field: value for field, value in asked.items() if value},
        doors=desks().watch.doors(actor()),
        person=desks().people.get(wanted.person) if wanted.person else None,
        refusal=refusal,
    )
    return text, int(refusal.status) if refusal else 200


@pages.get("/<report>.csv")
@needs(Permission.EVENTS_EXPORT)
def as_csv(report: str) -> Response:
    """All of it as CSV, a block at a time; recorded before the first byte."""
    name = _name(report)
    blocks = desks().reports.csv(actor(), name, _wanted(request.args))
    response = Response(chain([next(blocks)], blocks), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=f"{name.value}.csv")
    return response


@pages.get("/<report>.pdf")
@needs(Permission.EVENTS_EXPORT)
def as_pdf(report: str) -> Response:
    """All of it on paper, with the checkpoint that covers it."""
    name = _name(report)
    return pdf(desks().reports.pdf(actor(), name, _wanted(request.args)), name.value)
