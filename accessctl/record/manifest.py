"""The manifest beside an export: what the file claims to be, and the signed checkpoint that it is held against.

`FILE.manifest` is a JSON object with `exported_by, exported_at, filter, lines, sha256, first_index, last_index,
whole, checkpoint, verifier_key` (interfaces, "Export format"; both indexes are null when there is no line). Readers
pass over keys that they do not know.

One more key is ours: `seal`, a signed note by the record's key over the manifest itself. The leaves of a CSV file
prove that its entries were recorded, but nothing ties the words in its other columns to them; with the seal, file
and manifest cannot be changed together either. Its text is four lines:

    accessctl/export/v1
    SHA-256 of the file, hex
    number of lines
    SHA-256 of the canonical bytes of the manifest without `seal`, hex

A file that is not read line by line (a workbook, a PDF) has the key `format` (`xlsx`, `pdf`): its leaves stand in
`FILE.proofs`, `{"index", "leaf", "proof"}` a line, and the digest alone vouches for its look.

The first line is no origin of ours and the second is no number, so a seal can never be read as a checkpoint.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from accessctl.record import canonical
from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import Json, NotCanonical
from accessctl.record.notes import Checkpoint, Signer, Verifier, open_checkpoint, open_note, sign
from accessctl.record.reading import Fields, document

_SEAL = "accessctl/export/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """See the module; `sha256` in hex, `checkpoint` and `seal` whole notes, `verifier_key` a vkey."""

    exported_by: str
    exported_at: str
    filter: Json
    lines: int
    sha256: str
    first_index: int | None
    last_index: int | None
    whole: bool
    checkpoint: str
    verifier_key: str
    seal: str | None = None
    format: str | None = None

    def _unsealed(self) -> dict[str, object]:
        said: dict[str, object] = {
            "exported_by": self.exported_by,
            "exported_at": self.exported_at,
            "filter": self.filter,
            "lines": self.lines,
            "sha256": self.sha256,
            "first_index": self.first_index,
            "last_index": self.last_index,
            "whole": self.whole,
            "checkpoint": self.checkpoint,
            "verifier_key": self.verifier_key,
        }
        return said if self.format is None else said | {"format": self.format}

    def sealed(self, signer: Signer) -> "Manifest":
        """The same manifest with the record's seal on it."""
        return replace(self, seal=sign(seal_text(self._unsealed()), signer))

    def to_bytes(self) -> bytes:
        """The file's content: one line of JSON."""
        return canonical.encode(self._unsealed() | ({} if self.seal is None else {"seal": self.seal})) + b"\n"


def seal_text(manifest: dict[str, object]) -> str:
    digest = hashlib.sha256(canonical.encode(manifest)).hexdigest()
    return f"{_SEAL}\n{manifest['sha256']}\n{manifest['lines']}\n{digest}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A manifest whose checkpoint (and seal, if it has one) a trusted key signed."""

    manifest: Manifest
    checkpoint: Checkpoint
    keys: tuple[Verifier, ...]
    pinned: (
        bool  # the reader brought the keys; taken from the manifest itself they prove only that it agrees with itself
    )


def open_manifest(data: bytes, pinned: Sequence[Verifier] = ()) -> Trusted:
    """Read and check a manifest; with no `pinned` key the one that it names is taken."""
    values = document(data, "the manifest")
    fields = Fields(values, "the manifest")
    manifest = Manifest(
        exported_by=fields.text("exported_by"),
        exported_at=fields.text("exported_at"),
        filter=values.get("filter"),
        lines=fields.number("lines"),
        sha256=fields.hash("sha256").hex(),
        first_index=fields.optional_number("first_index"),
        last_index=fields.optional_number("last_index"),
        whole=fields.flag("whole"),
        checkpoint=fields.text("checkpoint"),
        verifier_key=fields.text("verifier_key"),
        seal=fields.optional_text("seal"),
        format=fields.optional_text("format"),
    )
    keys = tuple(pinned) or (Verifier.parse(manifest.verifier_key),)
    checkpoint = open_checkpoint(manifest.checkpoint, keys)
    _require_sense(manifest, checkpoint)
    if manifest.seal is not None:
        note = open_note(manifest.seal, keys)
        try:
            said = seal_text({key: value for key, value in values.items() if key != "seal"})
        except NotCanonical:
            raise fields.wrong("a value") from None
        if note.text != said:
            raise RecordBroken(Why.SEAL_BROKEN, "the manifest was changed after it was sealed")
    return Trusted(manifest=manifest, checkpoint=checkpoint, keys=keys, pinned=bool(pinned))


def _require_sense(manifest: Manifest, checkpoint: Checkpoint) -> None:
    first, last, lines = manifest.first_index, manifest.last_index, manifest.lines
    if manifest.whole and manifest.format is not None:
        agrees = False  # nothing of such a file is read, so nobody could see that it is the whole record
    elif lines == 0:
        agrees = first is None and last is None and (not manifest.whole or checkpoint.size == 0)
    elif first is None or last is None:
        agrees = False
    elif manifest.whole:
        if checkpoint.size != lines:
            raise RecordBroken(
                Why.WRONG_SIZE,
                f"the file claims to be the whole record with {lines} entries, "
                f"but the signed checkpoint counts {checkpoint.size}",
                index=min(lines, checkpoint.size),
            )
        agrees = first == 0 and last == lines - 1
    else:
        agrees = first <= last < checkpoint.size and lines <= last - first + 1
    if not agrees:
        raise RecordBroken(Why.MALFORMED, "the manifest contradicts itself about which entries the file holds")
