"""Exports that prove themselves: CSV, JSON lines, workbook or printed list of what was found, or the whole record.

In this order: a checkpoint is signed; the entries below it are written into a file that has no name yet, page by page
in flat memory, each compared with its leaf; the export itself is recorded (who, which, how many lines, the SHA-256 of
the file); then the names appear, `FILE.proofs`, `FILE.verify.py` (the verifier in one file), `FILE.manifest` and
`FILE`. So the manifest's checkpoint covers every line, the entry of the export comes after it, and no file exists that
is not on the record. A file of that name is never replaced.

Lines mean all entries of the record in the filter: what happened at the doors, and what people did.
"""

import errno
import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.domain.schedules import local
from accessctl.record import Checkpoint, Frontier, Json, Manifest, RecordBroken, Why, clean, encode, single_file
from accessctl.services.complete_file import complete_files
from accessctl.services.export_books import Binder, Book, BookFormat, BookHead, Write, book_lines
from accessctl.services.export_lines import Block, Format, Openings, header
from accessctl.services.export_pages import Copying, Copyists, Made, Page, Proven, block_for, page_of
from accessctl.services.ledger_rows import Places, Stored
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.report_names import Names
from accessctl.services.store import EventFilter

PAGE = 2048  # entries that are read, formatted and written together: a power of two, so that they are a subtree
ALONE = 8  # pages before copyists are called: what is shorter is written before they have come
EVERYTHING = EventFilter()
COMPANIONS = (".manifest", ".proofs", ".verify.py")
VERIFIER = ".verify.py"
NO_BOOKS: Mapping[str, Binder] = {}
Progress = Callable[[int, float], None]  # lines written so far, and which share of the record was passed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMade:
    """Where an export is. One of everything needs no proofs: its leaves hash up to the checkpoint."""

    path: Path
    manifest: Path
    proofs: Path | None
    lines: int
    sha256: str
    checkpoint: Checkpoint
    verifier: Path  # the single-file verifier beside it


@dataclass(slots=True)
class _Written:
    """What has been written so far."""

    file: BinaryIO
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    lines: int = 0
    first: int | None = None
    last: int | None = None
    frontier: Frontier = field(default_factory=Frontier)

    def write(self, data: bytes) -> None:
        self.digest.update(data)
        self.file.write(data)

    def count(self, places: Places) -> None:
        self.lines += len(places)
        self.first = places[0] if self.first is None else self.first
        self.last = places[-1]


class _Binding:
    """A book on its way into the export's file: its lines count, and its bytes come at the end."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._book: Book | None = None
        self._public = True
        self._lines = 0

    def begin(self, write: Write, head: BookHead) -> None:
        self._book = self._binder.begin(write, head)
        self._public = head.public

    def block(self, lines: Sequence[Stored], openings: Openings) -> bytes:
        """Lay the lines aside; nothing is to be written yet. Raises `OSError(EFBIG)`."""
        self._lines += len(lines)
        if self._lines > self._binder.most:
            raise OSError(errno.EFBIG, f"more than {self._binder.most} lines")
        if self._book is not None:
            self._book.add(book_lines(lines, None if self._public else openings))
        return b""

    def finish(self) -> None:
        if self._book is not None:
            self._book.finish()

    def close(self) -> None:
        if self._book is not None:
            self._book.close()


class ExportDesk:
    """Makes exports. Whoever asks needs the permission, and every export is an entry."""

    def __init__(
        self,
        office: Office,
        keeper: RecordKeeper,
        books: Mapping[str, Binder] = NO_BOOKS,
        copyists: Copyists | None = None,
    ) -> None:
        """`books` make the formats that are looked at; without one its format is a bug of the caller (KeyError)."""
        self._office = office
        self._keeper = keeper
        self._books = books
        self._copyists = copyists

    def make(
        self,
        actor: Actor,
        *,
        which: EventFilter = EVERYTHING,
        fmt: Format | BookFormat,
        target: Path,
        public: bool = False,
        progress: Progress | None = None,
    ) -> ExportMade:
        """Export what the filter finds to `target`; `public` leaves out names, documents and credentials.

        `progress` is told after each page; what it raises ends the export. A workbook or a list longer than its format
        bears is `OSError(EFBIG)`.

        Raises `AccessError`, `OSError` (the name is taken, the disk is full …), `RecordBroken` where the stored record
        does not hash to its leaves; in each case nothing is left under any of the names.
        """
        self._office.require(actor, Permission.EVENTS_EXPORT, norm="N10.2")
        book = _Binding(self._books[fmt]) if fmt in ("xlsx", "pdf") else None
        with self._office.begin(
            actor
        ) as tx:  # what nobody knows is refused: an empty export would say "nothing happened"
            for door in which.doors:
                tx.doors.get(door)
            if which.person:
                tx.people.get(which.person)
        return self._make(actor, target, which, fmt=fmt, public=public, progress=progress, book=book)

    def whole_record(self, actor: Actor, target: Path, *, progress: Progress | None = None) -> ExportMade:
        """The record from index 0 to the end: `index`, `entry`, `leaf` as JSON lines."""
        self._office.require(actor, Permission.EVENTS_EXPORT, norm="N10.2")
        return self._make(actor, target, EVERYTHING, fmt="record", public=False, progress=progress, book=None)

    def _make(
        self,
        actor: Actor,
        target: Path,
        which: EventFilter,
        *,
        fmt: Made,
        public: bool,
        progress: Progress | None,
        book: "_Binding | None",
    ) -> ExportMade:
        if not target.name or target.name.endswith(COMPANIONS):
            raise AccessError(Reason.TEXT_INVALID, field="name", longest=200)
        note = self._keeper.checkpoint()
        signed = self._keeper.opened(note)
        everything = which == EVERYTHING and book is None
        asked: dict[str, Json] = filter_said(which, public=public) | ({"public": True} if public else {})
        manifest_path = target.with_name(target.name + ".manifest")
        proofs_path = None if everything else target.with_name(target.name + ".proofs")
        verifier_path = target.with_name(target.name + VERIFIER)
        now = self._office.clock()
        exported_by = actor.account if public else clean(f"{actor.name} ({actor.account})")
        proven = Proven.NOTHING if everything else Proven.PATHS if book is None else Proven.LEAVES_AND_PATHS
        task = Copying(fmt=fmt, public=public, size=signed.size, proven=proven)
        with ExitStack() as stack:
            files = stack.enter_context(complete_files(token=self._office.new_id()))
            proofs = None if proofs_path is None else files.begin(proofs_path)
            files.begin(verifier_path).write(Path(single_file.__file__).read_bytes())
            manifest_file = files.begin(manifest_path)
            written = _Written(files.begin(target))
            if book is not None:
                stack.enter_context(closing(book))
                book.begin(written.write, self._head(signed, asked, exported_by, now))
            else:
                written.write(header(fmt))
            pages = stack.enter_context(closing(self._pages(task, which, book)))
            for places, page in pages:
                written.write(page.lines)
                written.frontier.extend(page.nodes, page.height)
                if proofs is not None:
                    proofs.write(page.proofs)
                written.count(places)
                if progress is not None:
                    progress(written.lines, (places[-1] + 1) / signed.size)
            if book is not None:
                book.finish()
            whole = everything or (book is None and written.lines == signed.size)  # a filter may leave nothing out
            if everything:
                _require_root(written, signed)
            sha256 = written.digest.hexdigest()
            manifest = Manifest(
                exported_by=exported_by,
                exported_at=now.isoformat(),
                filter=asked,
                lines=written.lines,
                sha256=sha256,
                first_index=written.first,
                last_index=written.last,
                whole=whole,
                checkpoint=note,
                verifier_key=self._keeper.verifier_key,
                format=None if book is None else fmt,
            )
            manifest_file.write(manifest.sealed(self._keeper.signer).to_bytes())
            files.settle()
            data: dict[str, str | int | bool | None] = {
                "format": fmt,
                "filter": encode(asked).decode(),
                "lines": written.lines,
                "sha256": sha256,
                "size": signed.size,
            }
            with self._office.begin(actor) as tx:
                tx.record(
                    Fact.EXPORT_MADE, at=self._office.clock(), actor=actor, norm="N10.2", person=which.person, data=data
                )
                tx.commit()
            files.appear()
        return ExportMade(
            path=target,
            manifest=manifest_path,
            proofs=proofs_path,
            lines=written.lines,
            sha256=sha256,
            checkpoint=signed,
            verifier=verifier_path,
        )

    def _head(self, signed: Checkpoint, asked: dict[str, Json], exported_by: str, now: datetime) -> BookHead:
        public = asked.get("public") is True
        with self._office.store.view() as tx:
            names = Names(tx)
            accounts = {} if public else {one.id: names.account(one.id) for one in tx.accounts.all()}
            return BookHead(
                number=f"EXP-{local(now):%Y%m%d-%H%M%S}",
                origin=signed.origin,
                size=signed.size,
                root=signed.root,
                asked=names.told(encode(asked).decode()),
                exported_by=exported_by,
                exported_at=now,
                public=public,
                doors={door.id: door.name for door in tx.doors.all()},
                accounts=accounts,
            )

    def _pages(
        self, task: Copying, which: EventFilter, book: "_Binding | None"
    ) -> Generator[tuple[Places, Page], None, None]:
        """All pages in their order: the first ones made here, the others by copyists, if there are any."""
        block: Block = block_for(task) if book is None else book.block
        copyists = None if book is not None else self._copyists
        with closing(self._places(which, task.size)) as places:
            for mine in places if copyists is None else islice(places, ALONE):
                with self._office.store.view() as tx:
                    page = page_of(tx.ledger, task, mine, block)
                yield mine, page
            if copyists is not None:
                with closing(copyists.copy(task, places)) as copied:
                    yield from copied

    def _places(self, which: EventFilter, size: int) -> Generator[Places, None, None]:
        if which == EVERYTHING:
            yield from (range(start, min(start + PAGE, size)) for start in range(0, size, PAGE))
            return
        until = size if which.before_index is None else min(size, which.before_index)
        with self._office.store.view() as tx:
            yield from tx.ledger.places(replace(which, before_index=until))


def filter_said(which: EventFilter, *, public: bool = False) -> dict[str, Json]:
    """The filter as the manifest says it; a public one does not say whose entries were asked for."""
    said: dict[str, Json] = {}
    times = {"since": which.since, "until": which.until}
    said.update({name: at.isoformat() for name, at in times.items() if at is not None})
    ends = {"after_index": which.after_index, "before_index": which.before_index}
    said.update({name: index for name, index in ends.items() if index is not None})
    lists = {"doors": which.doors, "events": which.events, "credentials": which.credentials}
    said.update({name: [clean(one) for one in some] for name, some in lists.items() if some})
    for name in ("person", "device", "credential", "visit", "case", "norm"):
        if getattr(which, name):
            said[name] = clean(getattr(which, name))
    if which.device_events_only:
        said["device_events_only"] = True
    if public:
        said.update({name: "…" for name in ("person", "credential", "credentials") if name in said})
    return said


def _require_root(written: _Written, signed: Checkpoint) -> None:
    """A whole export that does not hash to the checkpoint is none: entries are missing, or were rewritten."""
    if written.frontier.size != signed.size or written.frontier.root() != signed.root:
        raise RecordBroken(
            Why.WRONG_ROOT,
            f"the {written.frontier.size} entries read do not hash to the checkpoint over {signed.size}",
            index=0,
            until=max(signed.size - 1, 0),
        )
