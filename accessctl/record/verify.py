"""Checking an export offline: no database, no server, no network, and no belief in the file.

`verify_export` reads the file once, in flat memory, and either returns what was proven or raises `RecordBroken`,
naming the first entry that is not as it was recorded. What it proves:

* whole export: every leaf in order from index 0, and the tree over them has the root that the trusted key signed:
  nothing was changed, left out, added or moved, and there are exactly as many entries as the checkpoint counts;
* filtered export (with `.proofs`): every line's leaf stands in the signed record at the index that it gives, in
  rising order. That no other entry would have matched the filter is the exporter's word;
* JSON lines with `entry`: the bytes hash to the leaf and every column shown repeats them; a name with its salt is
  the committed one;
* workbooks and PDFs (`format` in the manifest): the digest, and the leaves that the proofs name;
* with `held` checkpoints (whole export only): the record still begins with what they signed, so it only grew.

In CSV, and in JSON lines without `entry`, the visible columns are vouched for by the manifest's digest, and by
nothing more than the exporter's word when the manifest has no seal. Without a seal nobody can see either that a line
of a filtered export was left out: `Verified.bound` says whether all that a reader sees hangs on a signature.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from accessctl.record import canonical
from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import Json, NotCanonical
from accessctl.record.columns import COLUMNS, FROM_ENTRY, disagreement, wrong_person
from accessctl.record.manifest import Trusted, open_manifest
from accessctl.record.merkle import Frontier, Inclusions, leaf_hash
from accessctl.record.notes import Checkpoint, Verifier
from accessctl.record.opaque import check_opaque
from accessctl.record.reading import Fields, Lines, json_object, repeats_a_key

_FILE = "the export"
_PROOFS = "the proofs"
_HASH = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_SHOWN = frozenset(FROM_ENTRY) | {"person", "person_salt"}
_KNOWN = frozenset(COLUMNS) | {"person_salt", "entry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was proven. `pinned` is False where the key came with the file itself: then the file agrees with itself,
    no more.
    """

    entries: int  # lines of the file, or 1 for a single proof, 0 for a checkpoint alone
    whole: bool
    checkpoint: Checkpoint
    verifier_key: str
    pinned: bool
    sealed: bool = False  # the file and its manifest carry the record's seal
    bound: bool  # nothing that a reader sees in the file is left to the exporter's word
    entries_shown: int = 0  # how many carried their canonical bytes, checked against leaf and columns
    names_checked: int = 0  # how many disclosed names were checked against their commitment
    held: int = 0  # how many older checkpoints the record was found to extend


@dataclass(slots=True)
class _Tally:
    """What the lines so far have shown; `next` is the index that a whole record needs next, or the least that may
    follow.
    """

    whole: bool
    sealed: bool
    next: int = 0
    first: int | None = None
    entries_shown: int = 0
    names_checked: int = 0
    tied: int = 0  # of an export without seal: lines that show nothing but what their entry says
    indexes: list[int] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)

    def take(self, index: int, leaf: bytes, line: int) -> None:
        if index != self.next if self.whole else index < self.next:
            what = f"entry {self.next} is missing or out of place" if self.whole else f"index {index} is out of order"
            raise RecordBroken(Why.ORDER, f"{_FILE}, line {line}: {what}", index=self.next, line=line)
        if self.first is None:
            self.first = index
        self.next = index + 1
        self.indexes.append(index)
        self.leaves.append(leaf)


def verify_export(
    file: BinaryIO,
    manifest: bytes,
    *,
    proofs: BinaryIO | None = None,
    trusted: Sequence[Verifier] = (),
    held: Sequence[Checkpoint] = (),
) -> Verified:
    """Check an export against its manifest. `trusted` are the keys that the reader brings; `held` are checkpoints
    already opened.
    """
    claim = open_manifest(manifest, trusted)
    whole = claim.manifest.whole
    if held and not whole:
        raise RecordBroken(
            Why.NOT_WHOLE,
            "a filtered export cannot show that the record only grew: the whole one or an extension proof can",
        )
    if claim.manifest.format is not None:
        check_opaque(file, claim, proofs)
        return _verified(claim, trusted, _Tally(whole=False, sealed=claim.manifest.seal is not None), held=0)
    lines = Lines(file, _FILE)
    tally = _Tally(whole=whole, sealed=claim.manifest.seal is not None)
    steps = _steps(lines, tally, claim)
    if whole:
        _fold(steps, tally, claim, held)
    else:
        _follow(steps, tally, claim, proofs)
    if lines.sha256 != claim.manifest.sha256:
        raise RecordBroken(
            Why.FILE_CHANGED, f"{_FILE}: its digest is not the manifest's, something in its visible text was changed"
        )
    return _verified(claim, trusted, tally, held=len(held))


def _verified(claim: Trusted, trusted: Sequence[Verifier], tally: _Tally, *, held: int) -> Verified:
    return Verified(
        entries=claim.manifest.lines,
        whole=claim.manifest.whole,
        checkpoint=claim.checkpoint,
        verifier_key=claim.manifest.verifier_key if not trusted else claim.keys[0].vkey,
        pinned=claim.pinned,
        sealed=tally.sealed,
        bound=tally.sealed or (tally.whole and tally.tied == claim.manifest.lines > 0),
        entries_shown=tally.entries_shown,
        names_checked=tally.names_checked,
        held=held,
    )


def _steps(lines: Lines, tally: _Tally, claim: Trusted) -> Iterator[None]:
    """Read the file block by block into `tally.leaves`; one step for each block, and the count of lines checked at
    the end.
    """
    parse: Callable[[list[bytes], int, _Tally], None] | None = None
    seen = 0
    for number, chunk in enumerate(lines.chunks()):
        at, rows = lines.count + 1, chunk
        if number == 0 and not chunk[0].startswith(b"{"):
            parse = _CsvLines(chunk[0])
            at, rows = 2, chunk[1:]
        elif parse is None:
            parse = _json_lines
        seen += len(rows)
        too_many = seen > claim.manifest.lines
        parse(rows[: len(rows) - (seen - claim.manifest.lines)] if too_many else rows, at, tally)
        yield
        if too_many:
            raise RecordBroken(
                Why.WRONG_SIZE,
                f"{_FILE}: has more lines than the {claim.manifest.lines} of its manifest",
                index=tally.next,
            )
    if seen < claim.manifest.lines:
        why, what = (Why.TRUNCATED, "is cut short") if seen else (Why.EMPTY, "is empty")
        raise RecordBroken(
            why, f"{_FILE}: {what}, {seen} of the manifest's {claim.manifest.lines} lines are there", index=tally.next
        )


def _fold(steps: Iterator[None], tally: _Tally, claim: Trusted, held: Sequence[Checkpoint]) -> None:
    """A whole record: hash the leaves up to the signed root, and on the way to the roots that were held."""
    for older in held:
        if older.origin != claim.checkpoint.origin:
            raise RecordBroken(Why.NOT_AN_EXTENSION, "a checkpoint that was held belongs to another record")
        if older.size > claim.checkpoint.size:
            raise RecordBroken(
                Why.NOT_AN_EXTENSION,
                f"a checkpoint that was held counts {older.size} entries, this record only {claim.checkpoint.size}: "
                "its tail was cut",
                index=claim.checkpoint.size,
                until=older.size - 1,
            )
    frontier = Frontier()
    waiting = sorted(held, key=lambda older: older.size)
    good = 0
    for _ in steps:
        leaves, tally.leaves = tally.leaves, []
        tally.indexes.clear()
        while waiting and waiting[0].size <= frontier.size + len(leaves):
            older = waiting.pop(0)
            missing = older.size - frontier.size
            frontier.extend(leaves[:missing])
            leaves = leaves[missing:]
            good = _require_begins(older, frontier, good)
        frontier.extend(leaves)
    for older in waiting:  # those of an empty record, where the file has no line
        good = _require_begins(older, frontier, good)
    if frontier.root() != claim.checkpoint.root:
        last = max(frontier.size - 1, good)
        raise RecordBroken(
            Why.WRONG_ROOT,
            f"{_FILE}: its entries do not hash to the signed root, at least one of {good} to {last} was changed",
            index=good,
            until=last,
        )


def _require_begins(older: Checkpoint, frontier: Frontier, good: int) -> int:
    if frontier.root() != older.root:
        raise RecordBroken(
            Why.NOT_AN_EXTENSION,
            f"the record does not begin with the {older.size} entries of a checkpoint that was held: "
            f"at least one from {good} on was rewritten",
            index=good,
            until=max(older.size - 1, good),
        )
    return older.size


def _follow(steps: Iterator[None], tally: _Tally, claim: Trusted, proofs: BinaryIO | None) -> None:
    """A filtered export: each line's audit path up to the signed root."""
    if proofs is None:
        raise RecordBroken(Why.UNREADABLE, "no proofs stand beside the filtered export: they are needed to check it")
    paths = enumerate(Lines(proofs, _PROOFS).each(), start=1)
    inclusions = Inclusions(claim.checkpoint.size, claim.checkpoint.root)
    last: int | None = None
    for _ in steps:
        for index, leaf in zip(tally.indexes, tally.leaves, strict=True):
            line, data = next(paths, (0, b""))
            if not data:
                raise RecordBroken(Why.TRUNCATED, f"{_PROOFS}: the one of entry {index} is missing", index=index)
            fields = Fields(json_object(data, _PROOFS, line), _PROOFS, line)
            if fields.number("index") != index or not inclusions.hold(index, leaf, fields.path("proof")):
                raise RecordBroken(
                    Why.NOT_IN_RECORD, f"entry {index} is not proven to be in the signed record", index=index, line=line
                )
            last = index
        tally.indexes.clear()
        tally.leaves.clear()
    if next(paths, None) is not None:
        raise RecordBroken(Why.WRONG_SIZE, f"{_PROOFS}: there are more of them than lines in the export")
    if (tally.first, last) != (claim.manifest.first_index, claim.manifest.last_index):
        raise RecordBroken(Why.MALFORMED, "the file does not begin and end with the entries that its manifest names")


def _json_lines(rows: list[bytes], at: int, tally: _Tally) -> None:
    for line, row in enumerate(rows, start=at):
        values = json_object(row, _FILE, line)
        fields = Fields(values, _FILE, line)
        index = fields.number("index")
        leaf = _check_entry(values, fields, index, line, tally) if "entry" in values else fields.hash("leaf")
        tally.take(index, leaf, line)
        tally.tied += not tally.sealed and _tied(row, values)


def _tied(row: bytes, values: dict[str, Json]) -> bool:
    """Whether a checked line shows nothing that its entry does not say: no other key, no name without its salt, and no
    key twice, of which another reader might take the other value.
    """
    named = values.get("person") is None or values.get("person_salt") is not None
    return "entry" in values and named and values.keys() <= _KNOWN and not repeats_a_key(row)


def _check_entry(values: dict[str, Json], fields: Fields, index: int, line: int, tally: _Tally) -> bytes:
    """The leaf of a line that carries its entry, which must hash to it and say what the columns say."""
    data = fields.data("entry")
    leaf = leaf_hash(data)
    if leaf.hex() != fields.text("leaf"):
        raise RecordBroken(
            Why.ENTRY_CHANGED, f"entry {index} was changed: its bytes do not hash to its leaf", index=index, line=line
        )
    tally.entries_shown += 1
    if _SHOWN.isdisjoint(values):
        return leaf
    try:
        entry = canonical.decode(data)
    except NotCanonical:
        raise RecordBroken(
            Why.MALFORMED, f"entry {index} is in the file, but its bytes are not canonical", index=index, line=line
        ) from None
    column = disagreement(values, entry)
    if column is not None:
        raise RecordBroken(
            Why.COLUMN_CHANGED,
            f"entry {index}: the column {column} does not show what was recorded",
            index=index,
            line=line,
        )
    if wrong_person(values, entry):
        raise RecordBroken(
            Why.PERSON_CHANGED,
            f"entry {index}: the person shown is not the one that was recorded",
            index=index,
            line=line,
        )
    tally.names_checked += values.get("person_salt") is not None
    return leaf


class _CsvLines:
    """Rows of a CSV file whose first line names its columns; one entry a line, so no field may run over a line's
    end.
    """

    def __init__(self, header: bytes) -> None:
        names = self._rows([header], 1)[0]
        if len(set(names)) != len(names) or not {"index", "leaf"} <= set(names):
            raise RecordBroken(
                Why.MALFORMED, f"{_FILE}: is neither JSON lines nor CSV with an index and a leaf column", line=1
            )
        self._width = len(names)
        self._index, self._leaf = names.index("index"), names.index("leaf")

    def __call__(self, rows: list[bytes], at: int, tally: _Tally) -> None:
        for line, row in enumerate(self._rows(rows, at), start=at):
            if len(row) != self._width:
                raise RecordBroken(Why.MALFORMED, f"{_FILE}, line {line}: is not a row of this table", line=line)
            index, leaf = row[self._index], row[self._leaf]
            if not _NUMBER.fullmatch(index) or not _HASH.fullmatch(leaf):
                raise RecordBroken(Why.MALFORMED, f"{_FILE}, line {line}: its index or leaf cannot be read", line=line)
            tally.take(int(index), bytes.fromhex(leaf), line)

    def _rows(self, lines: list[bytes], at: int) -> list[list[str]]:
        try:
            rows = list(csv.reader((line.removesuffix(b"\r").decode() for line in lines), strict=True))
        except (csv.Error, UnicodeDecodeError):
            rows = []
        if len(rows) != len(lines) or not all(rows):
            raise RecordBroken(
                Why.MALFORMED, f"{_FILE}, line {at} or after: is not CSV in UTF-8, one entry a line", line=at
            )
        return rows
