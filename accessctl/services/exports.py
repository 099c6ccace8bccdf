"""Exports that prove themselves: CSV and JSON lines of what was found, or the record as a whole.

In this order: a checkpoint is signed; the entries below it are streamed into a file that has no name yet, in flat
memory, each compared with its leaf; the export itself is recorded (who, which, how many lines, the file's SHA-256);
then the names appear, `FILE.proofs`, `FILE.manifest` and `FILE`. So the manifest's checkpoint covers every line, the
entry of the export comes after it, and no file exists that is not on the record. A file of that name is never replaced.

Lines mean all entries of the record in the filter: what happened at the doors, and what people did.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.domain.people import Actor, Permission
from accessctl.record import (
    Checkpoint,
    Frontier,
    Json,
    Manifest,
    RecordBroken,
    StoredTree,
    Why,
    clean,
    encode,
    leaf_hash,
)
from accessctl.record.merkle import leaf_hashes
from accessctl.services.complete_file import complete_files
from accessctl.services.export_lines import Format, bare_block, block_of, header, proof_block
from accessctl.services.office import Office
from accessctl.services.record_keeper import RecordKeeper
from accessctl.services.store import EventFilter, LedgerLine, Work

BLOCK = 1000  # lines that are formatted and written together
EVERYTHING = EventFilter()
COMPANIONS = frozenset({".manifest", ".proofs"})

L = TypeVar("L", LedgerLine, tuple[int, bytes, bytes])  # both begin with index, bytes, leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMade:
    """Where an export is. A whole one needs no proofs: its leaves hash up to the checkpoint."""

    path: Path
    manifest: Path
    proofs: Path | None
    lines: int
    sha256: str
    checkpoint: Checkpoint


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


class ExportDesk:
    """Makes exports. Whoever asks needs the permission, and every export is an entry."""

    def __init__(self, office: Office, keeper: RecordKeeper) -> None:
        self._office = office
        self._keeper = keeper

    def make(
        self, actor: Actor, *, which: EventFilter = EVERYTHING, fmt: Format, target: Path, public: bool = False
    ) -> ExportMade:
        """Export what the filter finds to `target`; `public` leaves out names, documents and credentials.

        Raises `AccessError`, `OSError` (the name is taken, the disk is full …), `RecordBroken` where the stored record
        does not hash to its leaves; in each case nothing is left under any of the names.
        """
        self._office.require(actor, Permission.EVENTS_EXPORT, norm="N10.2")
        block = block_of(fmt, public=public)

        def lines(tx: Work, size: int) -> Iterator[Sequence[LedgerLine]]:
            until = size if which.before_index is None else min(size, which.before_index)
            return tx.ledger.lines(replace(which, before_index=until))

        with self._office.begin(
            actor
        ) as tx:  # what nobody knows is refused: an empty export would say "nothing happened"
            for door in which.doors:
                tx.doors.get(door)
            if which.person:
                tx.people.get(which.person)
        asked: dict[str, Json] = filter_said(which, public=public) | ({"public": True} if public else {})
        return self._make(
            actor,
            target,
            lines,
            before=header(fmt),
            block=block,
            whole=which == EVERYTHING,
            asked=asked,
            fmt=fmt,
            person=which.person,
        )

    def whole_record(self, actor: Actor, target: Path) -> ExportMade:
        """The record from index 0 to the end: `index`, `entry`, `leaf` as JSON lines."""
        self._office.require(actor, Permission.EVENTS_EXPORT, norm="N10.2")
        return self._make(
            actor,
            target,
            lambda tx, size: _pages(tx.ledger.entries(0, size)),
            before=b"",
            block=bare_block,
            whole=True,
            asked={},
            fmt="record",
            person="",
        )

    def _make(
        self,
        actor: Actor,
        target: Path,
        lines: Callable[[Work, int], Iterator[Sequence[L]]],
        *,
        before: bytes,
        block: Callable[[Sequence[L]], bytes],
        whole: bool,
        asked: dict[str, Json],
        fmt: str,
        person: str,
    ) -> ExportMade:
        if not target.name or target.suffix in COMPANIONS:
            raise AccessError(Reason.TEXT_INVALID, field="name", longest=200)
        note = self._keeper.checkpoint()
        signed = self._keeper.opened(note)
        manifest_path = target.with_name(target.name + ".manifest")
        proofs_path = None if whole else target.with_name(target.name + ".proofs")
        with complete_files(token=self._office.new_id()) as files:
            proofs = None if proofs_path is None else files.begin(proofs_path)
            manifest_file = files.begin(manifest_path)
            written = _Written(files.begin(target))
            with self._office.store.view() as tx:
                tree = None if proofs is None else tx.ledger.tree(signed.size)
                written.write(before)
                _stream(lines(tx, signed.size), block, written, proofs, tree)
            if whole:
                _require_root(written, signed)
            now = self._office.clock()
            sha256 = written.digest.hexdigest()
            public = asked.get("public") is True
            manifest = Manifest(
                exported_by=actor.account if public else clean(f"{actor.name} ({actor.account})"),
                exported_at=now.isoformat(),
                filter=asked,
                lines=written.lines,
                sha256=sha256,
                first_index=written.first,
                last_index=written.last,
                whole=whole,
                checkpoint=note,
                verifier_key=self._keeper.verifier_key,
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
                tx.record(Fact.EXPORT_MADE, at=now, actor=actor, norm="N10.2", person=person, data=data)
                tx.commit()
            files.appear()
        return ExportMade(
            path=target,
            manifest=manifest_path,
            proofs=proofs_path,
            lines=written.lines,
            sha256=sha256,
            checkpoint=signed,
        )


def filter_said(which: EventFilter, *, public: bool = False) -> dict[str, Json]:
    """The filter as the manifest says it; a public one does not say whose entries were asked for."""
    said: dict[str, Json] = {}
    for name in ("since", "until"):
        at = getattr(which, name)
        if at is not None:
            said[name] = at.isoformat()
    for name in ("after_index", "before_index"):
        if getattr(which, name) is not None:
            said[name] = getattr(which, name)
    for name in ("doors", "events"):
        if getattr(which, name):
            said[name] = [clean(one) for one in getattr(which, name)]
    for name in ("person", "device", "credential", "case"):
        if getattr(which, name):
            said[name] = "…" if public and name in {"person", "credential"} else clean(getattr(which, name))
    if which.device_events_only:
        said["device_events_only"] = True
    return said


def _pages(entries: Iterator[tuple[int, bytes, bytes]]) -> Iterator[list[tuple[int, bytes, bytes]]]:
    while page := list(islice(entries, BLOCK)):
        yield page


def _stream(
    pages: Iterator[Sequence[L]],
    block: Callable[[Sequence[L]], bytes],
    written: _Written,
    proofs: BinaryIO | None,
    tree: StoredTree | None,
) -> None:
    """A page after the other: compared with its leaves, proven, formatted, hashed, written."""
    for rows in pages:
        indexes, leaves = [row[0] for row in rows], [row[2] for row in rows]
        _require_leaves(indexes, [row[1] for row in rows], leaves)
        if proofs is None or tree is None:
            written.frontier.extend(leaves)
        else:
            proofs.write(proof_block(list(zip(indexes, tree.inclusions(indexes), strict=True))))
        written.write(block(rows))
        written.lines += len(rows)
        written.first = indexes[0] if written.first is None else written.first
        written.last = indexes[-1]


def _require_leaves(indexes: Sequence[int], entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
    """Nothing is exported that does not hash to its leaf; SQLite may even hold text where bytes were written."""
    if all(type(data) is bytes for data in entries) and leaf_hashes(entries) == leaves:
        return
    for index, data, leaf in zip(indexes, entries, leaves, strict=True):
        if type(data) is not bytes or leaf_hash(data) != leaf:
            raise RecordBroken(
                Why.ENTRY_CHANGED, f"entry {index} was changed: its bytes do not hash to its leaf", index=index
            )


def _require_root(written: _Written, signed: Checkpoint) -> None:
    """A whole export that does not hash to the checkpoint is none: entries are missing, or were rewritten."""
    if written.frontier.size != signed.size or written.frontier.root() != signed.root:
        raise RecordBroken(
            Why.WRONG_ROOT,
            f"the {written.frontier.size} entries read do not hash to the checkpoint over {signed.size}",
            index=0,
            until=max(signed.size - 1, 0),
        )
