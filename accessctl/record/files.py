"""One door for whatever an auditor holds in hand: `verify_file` finds out what a file is and checks it.

An export is known by the `.manifest` beside it (its `.manifest` or `.proofs` may be named instead), a proof by its
`format`, everything else must be a checkpoint. Raises only `RecordBroken`, also for what cannot be opened.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.notes import MAX_NOTE_BYTES, Checkpoint, Verifier, open_checkpoint
from accessctl.record.proofs import EXTENSION_FORMAT, verify_extension, verify_proof
from accessctl.record.reading import MAX_DOCUMENT, document, read
from accessctl.record.verify import Verified, verify_export


def verify_file(path: Path, *, trusted: Sequence[Verifier] = (), held: Sequence[Checkpoint] = ()) -> Verified:
    """Check an export, a proof or a checkpoint; see `verify_export` for `trusted` and `held`."""
    if path.suffix in {".manifest", ".proofs"}:
        path = path.with_suffix("")
    manifest, proofs = path.parent / f"{path.name}.manifest", path.parent / f"{path.name}.proofs"
    with ExitStack() as opened:
        file = opened.enter_context(_open(path))
        if _is_there(manifest):
            claim = opened.enter_context(_open(manifest))
            paths = opened.enter_context(_open(proofs)) if _is_there(proofs) else None
            return verify_export(
                file, read(claim, MAX_DOCUMENT + 1, "the manifest"), proofs=paths, trusted=trusted, held=held
            )
        return verify_document(read(file, MAX_DOCUMENT + 1, "the file"), trusted=trusted, held=held)


def verify_document(data: bytes, *, trusted: Sequence[Verifier] = (), held: Sequence[Checkpoint] = ()) -> Verified:
    """Check a proof or a checkpoint that is in memory already."""
    if not data:
        raise RecordBroken(Why.EMPTY, "the file is empty")
    if len(data) > MAX_DOCUMENT:
        raise RecordBroken(Why.UNREADABLE, "no manifest stands beside the file, and it is too long for a proof")
    if data.lstrip().startswith(b"{"):
        if document(data, "the file").get("format") == EXTENSION_FORMAT:
            return verify_extension(data, trusted=trusted)
        return verify_proof(data, trusted=trusted)[0]
    if len(data) > MAX_NOTE_BYTES or b"\n\n" not in data:
        raise RecordBroken(
            Why.MALFORMED, "the file is neither an export with its manifest, nor a proof, nor a signed checkpoint"
        )
    if not trusted:
        raise RecordBroken(
            Why.UNKNOWN_KEY, "a checkpoint alone proves nothing without the key that should have signed it"
        )
    checkpoint = open_checkpoint(data, trusted)
    for older in held:
        if (older.origin, older.size, older.root) != (checkpoint.origin, checkpoint.size, checkpoint.root):
            raise RecordBroken(
                Why.NOT_AN_EXTENSION,
                "two different checkpoints alone prove nothing: bring an extension proof or the record",
            )
    return Verified(
        entries=0,
        whole=False,
        checkpoint=checkpoint,
        verifier_key=trusted[0].vkey,
        pinned=True,
        bound=True,
        held=len(held),
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False


def _open(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # a pipe waits, /dev/zero never ends
            raise RecordBroken(Why.UNREADABLE, "the file cannot be opened: it is a pipe, a socket or a device")
        return path.open("rb")
    except (OSError, ValueError) as failed:  # ValueError: a NUL in the name
        reason = failed.strerror if isinstance(failed, OSError) else "not a file name"
        raise RecordBroken(Why.UNREADABLE, f"the file cannot be opened: {reason}") from None
