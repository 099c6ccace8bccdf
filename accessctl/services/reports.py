"""Reports: one query layer, so that a page of the panel, a CSV file and a sheet of paper are one call each.

A report has a name, columns, and rows of plain values (text, whole numbers, moments in UTC, nothing). `page` gives a
bounded piece and the mark behind which the next one begins; `rows` gives all, a piece at a time; no entries are ever
read as a whole. A new report is a function that gives a piece, and its line in `REPORTS`.

What the doors and the desks recorded is counted and listed from the record; outstanding cards, revocations and visits
are states, and come from the shelves. Where the system was blind is rows like any others, never silence.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

import orjson

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.domain.schedules import local
from accessctl.record.columns import cell
from accessctl.services.blind_spots import blind_spots
from accessctl.services.office import Office
from accessctl.services.paper_facts import ListFacts, Sealing, Stamp, unsealed
from accessctl.services.paper_reading import owing_departments
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.report_counts import ENTRIES, REFUSALS, Counting, behind, entry_number
from accessctl.services.report_names import Names, Told, told_of
from accessctl.services.report_rows import ANYTHING, Cell, Mark, Piece, Row, Stretch, Wanted, window
from accessctl.services.store import Work
from accessctl.services.visit_reports import FORTUITOUS_COLUMNS, VISIT_COLUMNS, fortuitous, visits

LARGEST_PAGE = 1000
MOST_ON_PAPER = 20_000
SEPARATOR = "\x1f"  # between the parts of a mark: no name of ours holds it


class ReportName(StrEnum):
    """The reports there are; part of addresses and command lines."""

    ENTRIES = "entries"
    REFUSALS = "refusals"
    OUTSTANDING = "outstanding"
    REVOCATIONS = "revocations"
    BLIND_SPOTS = "blind_spots"
    LOOKED_AT = "looked_at"
    VISITS = "visits"
    FORTUITOUS = "fortuitous"


Fetch: TypeAlias = "Callable[[Work, Wanted, Mark, int, datetime], Piece]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One kind of report: its columns, who may see it, which norm it serves, and how a piece of it is found."""

    columns: tuple[str, ...]
    permission: Permission
    norm: str
    fetch: Fetch


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """A piece of a report. `after` is the mark of the next piece, empty at the end.

    `counted`: the rows count a stretch of the record and not all of it, which took too long; `onward` is then the mark
    at which the next stretch begins, empty in the last one. `told`: for each row, what its `about` or `detail` says.
    """

    name: ReportName
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    after: str
    counted: Stretch | None = None
    onward: str = ""
    told: tuple[Told, ...] = ()


class ListPrinter(Protocol):
    """Puts a report on paper: columns by their names, values into words."""

    def report(self, name: str, facts: ListFacts) -> bytes: ...


class Reports:
    """Whoever may see the events asks, prints and takes away reports; what leaves the panel is recorded."""

    def __init__(self, office: Office, keeper: RecordKeeper, printer: ListPrinter, seal: Sealing = unsealed) -> None:
        self._seal = seal
        self._office = office
        self._keeper = keeper
        self._printer = printer

    def page(
        self, actor: Actor, name: ReportName, wanted: Wanted = ANYTHING, *, after: str = "", limit: int = 200
    ) -> ReportPage:
        """A piece of at most `limit` rows behind the mark `after`. Raises `AccessError` for a mark that is none."""
        report = self._require(actor, name)
        with self._office.store.view() as tx:
            piece = report.fetch(tx, wanted, _mark(after), min(limit, LARGEST_PAGE), self._office.clock())
            names = Names(tx)
            told = tuple(told_of(names, report.columns, row) for row in piece.rows)
        return ReportPage(
            name=name,
            columns=report.columns,
            rows=piece.rows,
            after=SEPARATOR.join(piece.after),
            counted=piece.counted,
            onward=SEPARATOR.join(behind(piece.counted)),
            told=told,
        )

    def rows(self, actor: Actor, name: ReportName, wanted: Wanted = ANYTHING) -> Iterator[Row]:
        """All of it; each piece sees the moment at which it is fetched, and what is counted is counted once."""
        report = self._require(actor, name)
        if isinstance(report.fetch, Counting):
            with self._office.store.view() as tx:
                counted = list(report.fetch.every(tx, wanted))
            yield from counted
            return
        after: Mark = ()
        while True:
            with self._office.store.view() as tx:
                piece = report.fetch(tx, wanted, after, LARGEST_PAGE, self._office.clock())
            yield from piece.rows
            if not piece.after:
                return
            after = piece.after

    def csv(self, actor: Actor, name: ReportName, wanted: Wanted = ANYTHING) -> Iterator[bytes]:
        """The report as CSV in UTF-8, a block at a time; recorded before the first byte. No cell is a formula."""
        self._record(actor, name, wanted, fmt="csv")
        yield (",".join(REPORTS[name].columns) + "\r\n").encode()
        block: list[list[str]] = []
        for row in self.rows(actor, name, wanted):
            block.append([cell(_said(value)) for value in row])
            if len(block) == LARGEST_PAGE:
                yield _block(block)
                block = []
        yield _block(block)

    def pdf(self, actor: Actor, name: ReportName, wanted: Wanted = ANYTHING) -> bytes:
        """The report on paper, with the checkpoint that covers it. What is longer than a book is refused."""
        report = self._require(actor, name)
        rows: list[Row] = []
        for row in self.rows(actor, name, wanted):
            if len(rows) == MOST_ON_PAPER:
                raise AccessError(Reason.TEXT_INVALID, report.norm, field="rows", longest=MOST_ON_PAPER)
            rows.append(row)
        with self._office.store.view() as tx:
            names = Names(tx)
            told = tuple(told_of(names, report.columns, row) for row in rows)
            asked = names.told(orjson.dumps(wanted.said()).decode())
            named = [names.row(report.columns, row) for row in rows]
        texts = tuple(tuple("" if (said := _said(value)) is None else str(said) for value in row) for row in named)
        signed = self._keeper.opened(self._keeper.checkpoint())
        now = self._office.clock()
        stamp = Stamp(
            number=f"{report.norm}-{local(now):%Y%m%d-%H%M%S}",
            made_at=now,
            origin=self._keeper.origin,
            checkpoint=(signed.size, signed.root),
        )
        columns = tuple((column, 1.0) for column in report.columns)
        facts = ListFacts(
            stamp=stamp,
            title=name.value,
            serves=report.norm,
            columns=columns,
            rows=texts,
            asked=asked,
            told=told,
        )
        pdf = self._seal(self._printer.report(name.value, facts))
        self._record(actor, name, wanted, fmt="pdf")
        return pdf

    def _require(self, actor: Actor, name: ReportName) -> Report:
        report = REPORTS[name]
        self._office.require(actor, report.permission, norm=report.norm)
        return report

    def _record(self, actor: Actor, name: ReportName, wanted: Wanted, *, fmt: str) -> None:
        report = self._require(actor, name)
        self._office.require(actor, Permission.EVENTS_EXPORT, norm=report.norm)
        data: dict[str, str | int | bool | None] = {
            "format": fmt,
            "report": name.value,
            "filter": orjson.dumps(wanted.said()).decode(),
        }
        with self._office.begin(actor) as tx:
            tx.record(
                Fact.EXPORT_MADE,
                at=self._office.clock(),
                actor=actor,
                norm=report.norm,
                person=wanted.person if tx.people.maybe(wanted.person) else "",
                data=data,
            )
            tx.commit()


def _mark(after: str) -> Mark:
    if len(after) > 1000:
        raise AccessError(Reason.NOT_FOUND, field="after")
    return tuple(after.split(SEPARATOR)) if after else ()


def _said(value: Cell) -> str | int | None:
    return value.astimezone(UTC).isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


def _block(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _outstanding(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """N10.4: cards that were not handed in, under the head who owes them, with how long."""
    del wanted
    today = local(now).date()
    rows: list[Row] = [
        (owing.head, owing.department, card.card.key, card.holder, card.since.isoformat(), (today - card.since).days,
         card.state.value, card.removal)
        for owing in owing_departments(tx, today)
        for card in owing.cards
    ]  # fmt: skip
    return _from_number(rows, after, limit)


def _revocations(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """How far each revocation got, and for how long a door might still have opened: to the last confirmation or now."""
    rows: list[Row] = []
    for place, removal in enumerate(tx.removals.find(newest=True, limit=100_000)):
        if place < _number(after) or not _within(wanted, removal.at):
            continue
        if len(rows) == limit:
            return Piece(rows=tuple(rows), after=(str(place),))
        targets = tx.removal_targets.find(removal=removal.id, limit=2000)
        confirmed = [one.confirmed_at for one in targets if one.confirmed_at is not None]
        open_now = len(confirmed) < len(targets)
        until = now if open_now else max(confirmed, default=removal.at)
        person = tx.people.get(removal.person)
        missing = ", ".join(one.device for one in targets if one.confirmed_at is None)
        rows.append(
            (removal.at, person.id, person.full_name, removal.reason, len(confirmed), len(targets),
             int((until - removal.at).total_seconds()), missing)
        )  # fmt: skip
    return Piece(rows=tuple(rows), after=())


def _within(wanted: Wanted, at: datetime) -> bool:
    return (wanted.since is None or at >= wanted.since) and (wanted.until is None or at < wanted.until)


LOOKED_FACTS = tuple(
    fact.value
    for fact in (
        Fact.EXPORT_MADE,
        Fact.DOCUMENT_PRINTED,
        Fact.EXTRACT_MADE,
        Fact.RECORD_SEARCHED,
        Fact.VISIT_REGISTER_PRINTED,
        Fact.VISIT_REGISTER_COMPARED,
    )
)


def _looked_at(tx: Work, wanted: Wanted, after: Mark, limit: int, now: datetime) -> Piece:
    """Who took what out of the record: exports, prints, extracts, searches, the oldest first."""
    del now
    rows: list[Row] = []
    last = 0
    for row, data in tx.events.stream(window(wanted, LOOKED_FACTS, after=_number(after, least=-1))):
        said = orjson.loads(data).get("data") or {}
        what = said.get("report") or said.get("document") or said.get("format") or ""
        about = said.get("filter") or said.get("about") or said.get("day") or row.case
        rows.append((row.index, row.at, row.actor, row.event, str(what), str(about), said.get("lines"), row.person))
        last = row.index
        if len(rows) == limit:
            break
    return Piece(rows=tuple(rows), after=(str(last),) if len(rows) == limit else ())


def _from_number(rows: Sequence[Row], after: Mark, limit: int) -> Piece:
    start = _number(after)
    end = start + limit
    return Piece(rows=tuple(rows[start:end]), after=(str(end),) if end < len(rows) else ())


def _number(after: Mark, *, least: int = 0) -> int:
    if not after:
        return least
    if len(after) != 1:
        raise AccessError(Reason.NOT_FOUND, field="after")
    return entry_number(after[0])


REPORTS: Mapping[ReportName, Report] = {
    ReportName.ENTRIES: Report(
        columns=("door", "person_id", "person", "event", "count", "first_at", "last_at"),
        permission=Permission.EVENTS_SEE,
        norm="N4.1",
        fetch=ENTRIES,
    ),
    ReportName.REFUSALS: Report(
        columns=("reason", "norm", "door", "count", "first_at", "last_at"),
        permission=Permission.EVENTS_SEE,
        norm="N10.2",
        fetch=REFUSALS,
    ),
    ReportName.OUTSTANDING: Report(
        columns=("head", "department", "card", "holder", "since", "days", "state", "removal"),
        permission=Permission.CARDS_SEE,
        norm="N10.4",
        fetch=_outstanding,
    ),
    ReportName.REVOCATIONS: Report(
        columns=("at", "person_id", "person", "reason", "confirmed", "devices", "exposed_s", "missing"),
        permission=Permission.CARDS_SEE,
        norm="N10.4",
        fetch=_revocations,
    ),
    ReportName.BLIND_SPOTS: Report(
        columns=("kind", "device", "door", "since", "until", "seconds", "index", "detail"),
        permission=Permission.EVENTS_SEE,
        norm="N4.1",
        fetch=blind_spots,
    ),
    ReportName.LOOKED_AT: Report(
        columns=("index", "at", "actor", "event", "what", "about", "lines", "person_id"),
        permission=Permission.EVENTS_SEE,
        norm="N10.2",
        fetch=_looked_at,
    ),
    ReportName.VISITS: Report(
        columns=VISIT_COLUMNS,
        permission=Permission.EVENTS_SEE,
        norm="N4.1",
        fetch=visits,
    ),
    ReportName.FORTUITOUS: Report(
        columns=FORTUITOUS_COLUMNS,
        permission=Permission.EVENTS_SEE,
        norm="N4.2",
        fetch=fortuitous,
    ),
}
