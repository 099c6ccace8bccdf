"""Exports that are looked at and not read line by line: workbooks and PDFs.

Their leaves stand in `FILE.proofs`, one line for each entry in the order of the file, `{"index", "leaf", "proof"}`.
That these entries are in the signed record is proven like any other's; that the file shows these entries and nothing
else is what the seal over its digest vouches for, and so the exporter's word.
"""

import hashlib
from typing import BinaryIO

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.manifest import Trusted
from accessctl.record.merkle import Inclusions
from accessctl.record.reading import BLOCK, Fields, Lines, json_object, read

_FILE = "the export"
_PROOFS = "the proofs"


def check_opaque(file: BinaryIO, claim: Trusted, proofs: BinaryIO | None) -> None:
    """Check the file's digest and its leaves against the manifest. Raises `RecordBroken`."""
    digest = hashlib.sha256()
    while block := read(file, BLOCK, _FILE):
        digest.update(block)
    if digest.hexdigest() != claim.manifest.sha256:
        raise RecordBroken(Why.FILE_CHANGED, f"{_FILE}: its digest is not the manifest's, something in it was changed")
    if proofs is None:
        raise RecordBroken(Why.UNREADABLE, "no proofs stand beside the export: they are needed to check it")
    inclusions = Inclusions(claim.checkpoint.size, claim.checkpoint.root)
    first: int | None = None
    last: int | None = None
    count = 0
    for count, data in enumerate(Lines(proofs, _PROOFS).each(), start=1):
        if count > claim.manifest.lines:
            raise RecordBroken(Why.WRONG_SIZE, f"{_PROOFS}: there are more of them than entries in the export")
        fields = Fields(json_object(data, _PROOFS, count), _PROOFS, count)
        index, leaf = fields.number("index"), fields.hash("leaf")
        if last is not None and index <= last:
            raise RecordBroken(Why.ORDER, f"{_PROOFS}, line {count}: index {index} is out of order", index=index)
        if not inclusions.hold(index, leaf, fields.path("proof")):
            raise RecordBroken(
                Why.NOT_IN_RECORD, f"entry {index} is not proven to be in the signed record", index=index, line=count
            )
        first, last = index if first is None else first, index
    if count < claim.manifest.lines:
        raise RecordBroken(Why.TRUNCATED, f"{_PROOFS}: {count} of the manifest's {claim.manifest.lines} are there")
    if (first, last) != (claim.manifest.first_index, claim.manifest.last_index):
        raise RecordBroken(Why.MALFORMED, "the proofs do not begin and end with the entries that the manifest names")
