"""The printed register against the record, line by line (N4.1): what is the same, and every difference by name.

Compared is what the sheet says: what was printed, or what somebody typed in from the sheet in their hand, as CSV (the
columns that they care for, by their `HEADINGS` or their names here, and the line's number, its visit's or its
contingency folio's). A difference names the visit, the field and both texts: `altered` where the sheet no longer says
what was printed, `later` where the record went on, `mark` where the mark on the sheet is not the line's. Each
comparison is an entry of the record.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.record.columns import cell
from accessctl.services.office import Office
from accessctl.services.register_lines import (
    FIELDS,
    NORM,
    PrintedLine,
    Printing,
    Texts,
    present_text,
    present_texts,
    printed_lines,
    printing,
    printings,
    shown,
)
from accessctl.services.store import Work

LARGEST_PAPER = 400 * 1024  # bytes of a CSV: a day's lines, typed in
MOST_LINES = 5000
LONGEST_CELL = 4000
COLUMNS = ("line", "mark", *FIELDS)
HEADINGS: Mapping[str, str] = {  # what stands over the columns of the CSV, which is people's to write in
    "line": "línea", "mark": "marca", "visit": "visita", "name": "nombre completo",
    "organisation": "empresa o institución", "document": "documento", "purpose": "motivo", "receives": "visita a",
    "authority": "autorizó", "escorts": "acompañó", "card": "tarjeta", "card_back": "tarjeta devuelta",
    "briefed": "inducción", "entered_at": "entrada", "exited_at": "salida", "verified_by": "comprobó la salida",
    "recorded_by": "anotó la salida", "signature": "firma", "brought": "equipo que entró",
    "taken": "equipo que salió", "fortuitous": "ingreso fortuito", "regularised_at": "regularizado",
    "folio": "folio", "vehicle": "vehículo", "unverified": "salida no verificada",
}  # fmt: skip
ENCODINGS = ("utf-8-sig", "cp1252")  # as spreadsheets save a CSV


class LineDifference(StrEnum):
    """How a line of the sheet and the record may differ."""

    ALTERED = "altered"
    LATER = "later"
    MARK = "mark"
    NOT_ON_PAPER = "not_on_paper"
    NOT_IN_RECORD = "not_in_record"
    ERASED = "erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """A line of the sheet, as typed in; what was not typed is not in `cells`."""

    cells: Texts

    @property
    def line(self) -> int | None:
        """Its number on the sheet, where one was typed."""
        text = self.cells.get("line", "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference. `visit` is the number of the visit and `visit_id` its id, where there is one."""

    kind: LineDifference
    line: int | None = None
    visit: str = ""
    visit_id: str = ""
    field: str = ""
    paper: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out: how many lines were compared, how many say the same, and every difference."""

    printing: Printing
    lines: int
    same: int
    differences: tuple[Difference, ...]


class RegisterComparison:
    """Compares printed registers with the record."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def printings(self, actor: Actor, *, limit: int = 50) -> list[Printing]:
        """The registers that were printed, the newest first."""
        self._office.require(actor, Permission.VISIT_SEE, norm=NORM)
        with self._office.store.view() as tx:
            return printings(tx, limit=limit)

    def sheet(self, actor: Actor, number: int) -> bytes:
        """The lines of a printing as CSV, as they were printed: what to type the sheet in over. An export, recorded."""
        self._office.require(actor, Permission.EVENTS_EXPORT, norm=NORM)
        out = io.StringIO(newline="")
        out.write("\ufeff")  # by which a spreadsheet knows that this is UTF-8
        writer = csv.writer(out)
        writer.writerow([HEADINGS[name] for name in COLUMNS])
        with self._office.store.view() as tx:
            of = printing(tx, number)
            for one in printed_lines(tx, of):
                texts = one.texts or {}
                writer.writerow([one.line, one.mark, *(cell(shown(tx, texts.get(name, ""))) for name in FIELDS)])
        about: dict[str, str | int | bool | None] = {
            "format": "csv",
            "document": "visit_register",
            "filter": f'{{"printing":{number}}}',
            "lines": of.lines,
        }
        with self._office.begin(actor) as tx:
            tx.record(Fact.EXPORT_MADE, at=self._office.clock(), actor=actor, norm=NORM, data=about)
            tx.commit()
        return out.getvalue().encode()

    def compare(self, actor: Actor, number: int, paper: Sequence[PaperLine] | None = None) -> Comparison:
        """Compare a printing with the record as it is now; the sheet says what was printed where `paper` is None.

        Raises `AccessError(NOT_FOUND)` for a number that is no printing's.
        """
        self._office.require(actor, Permission.EVENTS_SEE, norm=NORM)
        with self._office.store.view() as tx:
            of = printing(tx, number)
            printed = list(printed_lines(tx, of))
            found = list(_differences(tx, of, printed, paper))
        which = {(one.line, one.visit_id) for one in found if one.line is not None}
        done = Comparison(printing=of, lines=len(printed), same=len(printed) - len(which), differences=tuple(found))
        data: dict[str, str | int | bool | None] = {
            "printing": number,
            "paper": "printed" if paper is None else "typed",
            "lines": done.lines,
            "differences": len(found),
        }
        with self._office.begin(actor) as tx:
            tx.record(Fact.VISIT_REGISTER_COMPARED, at=self._office.clock(), actor=actor, norm=NORM, data=data)
            tx.commit()
        return done


def read_paper(content: bytes) -> list[PaperLine]:
    """Lines typed in from a sheet: CSV in UTF-8 or Windows-1252, comma or semicolon, a header of some of `HEADINGS`.

    Raises `AccessError`, naming the column, for what is too large, is no CSV or has a column that no line has.
    """
    if not content or len(content) > LARGEST_PAPER:
        raise AccessError(Reason.TEXT_INVALID, NORM, field="paper", longest=LARGEST_PAPER)
    try:
        text = _decoded(content)
        comma = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=comma, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise AccessError(Reason.TEXT_INVALID, NORM, field="paper", longest=LARGEST_PAPER) from None
    header = [_NAMED.get(_plain(name), _plain(name)) for name in rows[0]] if rows else []
    unknown = [name for name in header if name not in COLUMNS]
    if not {"line", "visit", "folio"} & set(header) or unknown or len(set(header)) != len(header):
        raise AccessError(Reason.FORM_INCOMPLETE, NORM, missing="line")
    if len(rows) > MOST_LINES or any(len(one) > LONGEST_CELL for row in rows for one in row):
        raise AccessError(Reason.TEXT_INVALID, NORM, field="line", longest=LONGEST_CELL)
    return [PaperLine(cells=_typed(header, row)) for row in rows[1:] if any(one.strip() for one in row)]


def _decoded(content: bytes) -> str:
    """Raises `UnicodeDecodeError` where it is text in none of `ENCODINGS`."""
    try:
        return content.decode(ENCODINGS[0])
    except UnicodeDecodeError:
        return content.decode(ENCODINGS[1])


def _plain(heading: str) -> str:
    """A heading as it is compared: lower case, without accents, single spaces."""
    apart = unicodedata.normalize("NFKD", " ".join(heading.casefold().split()))
    return "".join(one for one in apart if not unicodedata.combining(one))


_NAMED = {_plain(heading): name for name, heading in HEADINGS.items()}


def _typed(header: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """A row; the apostrophe that keeps a cell from being a formula is none of its text."""
    return {
        name: one[1:] if one[:1] == "'" and one[1:2] in {"=", "+", "-", "@"} else one
        for name, one in zip(header, row, strict=False)
    }


def _differences(
    tx: Work, of: Printing, printed: Sequence[PrintedLine], paper: Sequence[PaperLine] | None
) -> Iterator[Difference]:
    now = present_texts(tx, of)
    rest = [] if paper is None else list(paper)
    for line in printed:
        sheet = PaperLine(cells=line.texts or {}) if paper is None else _taken(rest, line)
        present = now.pop(line.visit, None) or present_text(tx, line.visit)
        if sheet is None:
            number = (line.texts or present or {}).get("visit", "")
            yield Difference(kind=LineDifference.NOT_ON_PAPER, line=line.line, visit=number, visit_id=line.visit)
        else:
            yield from _of_line(tx, line, sheet, present)
    yield from _beside(tx, now, rest)


def _of_line(tx: Work, line: PrintedLine, sheet: PaperLine, present: Texts | None) -> Iterator[Difference]:
    """Where a line of the sheet differs from what was printed, or from the record as it is now."""
    number = (line.texts or present or {}).get("visit", "")
    here = Difference(kind=LineDifference.ERASED, line=line.line, visit=number, visit_id=line.visit)
    mark = _bare(sheet.cells.get("mark", ""))
    if mark and mark != line.mark:
        yield replace(here, kind=LineDifference.MARK, field="mark", paper=mark, record=line.mark)
    if line.texts is None:
        yield here
    elif present is None:
        yield replace(here, kind=LineDifference.NOT_IN_RECORD)
    else:
        yield from _of_fields(tx, here, sheet.cells, line.texts, present)


def _of_fields(tx: Work, here: Difference, sheet: Texts, was: Texts, present: Texts) -> Iterator[Difference]:
    for name in FIELDS:
        if name not in sheet:
            continue
        said, printed, now = (shown(tx, texts.get(name, "")) for texts in (sheet, was, present))
        if not _same(name, said, now):
            kind = LineDifference.LATER if _same(name, said, printed) else LineDifference.ALTERED
            yield replace(here, kind=kind, field=name, paper=said, record=now)


def _beside(tx: Work, now: Mapping[str, Texts], rest: Sequence[PaperLine]) -> Iterator[Difference]:
    """Visits of the day that the printing lacks, and lines of the sheet that no line was printed for.

    A line that names a contingency folio is compared with the visit that was typed in from that folio.
    """
    unseen = dict(now)
    for sheet in rest:
        folio = _folio(sheet.cells.get("folio", ""))
        found = next((one for one in unseen if folio and _matches(sheet.cells, unseen[one], folio)), "")
        if not found:
            said = "; ".join(text for name, text in sheet.cells.items() if name in FIELDS and text)
            yield Difference(
                kind=LineDifference.NOT_IN_RECORD, line=sheet.line, visit=sheet.cells.get("visit", ""), paper=said
            )
            continue
        texts = unseen.pop(found)
        here = Difference(kind=LineDifference.ALTERED, line=sheet.line, visit=texts["visit"], visit_id=found)
        yield from _of_fields(tx, here, {**sheet.cells, "folio": texts["folio"]}, {}, texts)
    for visit, texts in unseen.items():
        yield Difference(
            kind=LineDifference.NOT_ON_PAPER, visit=texts["visit"], visit_id=visit, record=shown(tx, texts["name"])
        )


def _taken(rest: list[PaperLine], line: PrintedLine) -> PaperLine | None:
    """The line of the sheet that this is: by its number on the sheet, or by its visit's."""
    visit = (line.texts or {}).get("visit", "")
    for sheet in rest:
        if sheet.line == line.line or (sheet.line is None and visit and sheet.cells.get("visit", "").strip() == visit):
            rest.remove(sheet)
            return sheet
    return None


def _matches(sheet: Texts, texts: Texts, folio: str) -> bool:
    """Whether a line of a contingency sheet may be this visit: of that folio, and of that document or name."""
    if _folio(texts["folio"]) != folio:
        return False
    told = [name for name in ("visit", "document", "name") if sheet.get(name)]
    return not told or any(_bare(sheet[name]) == _bare(texts[name]) for name in told)


def _folio(text: str) -> str:
    """A folio's number however it was written: `C-000004`, `c4`."""
    return _bare(text).lstrip("c").lstrip("0")


def _same(field: str, sheet: str, text: str) -> bool:
    """Whether the sheet says it; a time on it has no year, since the sheet is of one day."""
    said, bare = _bare(sheet), _bare(text)
    return said == bare or (field.endswith("_at") and len(bare) == 12 and said == bare[:4] + bare[8:])


def _bare(text: str) -> str:
    """What of a text is compared: letters and digits, whatever their case."""
    return "".join(char for char in text.casefold().replace("í", "i") if char.isalnum())
