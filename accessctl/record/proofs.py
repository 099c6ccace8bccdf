"""Small files that prove one thing to a third person, without the rest of the record.

* Proof of one entry, `{"format": "accessctl/proof/v1", "index", "entry" (base64), "leaf", "proof": [hex, …],
  "checkpoint", "verifier_key"}` and, where a detail is disclosed with it, `"openings": [{"c", "salt" (hex),
  "value"}, …]`: this very entry stands at this index of the record that the checkpoint signed. A few kilobytes.
* Proof of extension, `{"format": "accessctl/extension/v1", "old", "new", "proof": [hex, …], "verifier_key"}`: the
  record of the old checkpoint is the beginning of the new one, so in between it only grew.

`…_file` writes them, `verify_…` reads hostile ones and raises only `RecordBroken`.
"""

import base64
import re
from collections.abc import Iterable, Sequence

import orjson

from accessctl.record import canonical
from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import Json, NotCanonical
from accessctl.record.commitment import Opening, opens
from accessctl.record.merkle import consistency_holds, inclusion_holds, leaf_hash
from accessctl.record.notes import Checkpoint, Verifier, open_checkpoint
from accessctl.record.reading import Fields, document
from accessctl.record.verify import Verified

PROOF_FORMAT = "accessctl/proof/v1"
EXTENSION_FORMAT = "accessctl/extension/v1"
MAX_OPENINGS = 100
_NAME = "the proof"
_HASH = re.compile(r"[0-9a-f]{64}")


def proof_file(
    index: int,
    entry: bytes,
    proof: Sequence[bytes],
    checkpoint: str,
    verifier_key: str,
    *,
    disclosed: Iterable[Opening] = (),
) -> bytes:
    """The file that proves one entry; `checkpoint` is the signed note that the audit path leads to."""
    content: dict[str, object] = {
        "format": PROOF_FORMAT,
        "index": index,
        "entry": base64.b64encode(entry).decode(),
        "leaf": leaf_hash(entry).hex(),
        "proof": [each.hex() for each in proof],
        "checkpoint": checkpoint,
        "verifier_key": verifier_key,
    }
    shown = [{"c": each.commitment, "salt": each.salt.hex(), "value": each.value} for each in disclosed]
    if shown:
        content["openings"] = shown
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"


def extension_file(old: str, new: str, proof: Sequence[bytes], verifier_key: str) -> bytes:
    """The file that proves that the record of one signed note is the beginning of the other's."""
    content = {
        "format": EXTENSION_FORMAT,
        "old": old,
        "new": new,
        "proof": [each.hex() for each in proof],
        "verifier_key": verifier_key,
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n"


def verify_proof(data: bytes, *, trusted: Sequence[Verifier] = ()) -> tuple[Verified, dict[str, Json]]:
    """Check the proof of one entry; also the entry itself, which may now be believed."""
    values = document(data, _NAME)
    fields = Fields(values, _NAME)
    if values.get("format") != PROOF_FORMAT:
        raise fields.wrong("format")
    keys = tuple(trusted) or (Verifier.parse(fields.text("verifier_key")),)
    checkpoint = open_checkpoint(fields.text("checkpoint"), keys)
    index, leaf, bytes_ = fields.number("index"), fields.hash("leaf"), fields.data("entry")
    if leaf_hash(bytes_) != leaf:
        raise RecordBroken(
            Why.ENTRY_CHANGED, f"entry {index} was changed: its bytes do not hash to its leaf", index=index
        )
    if not inclusion_holds(index, checkpoint.size, leaf, fields.path("proof"), checkpoint.root):
        raise RecordBroken(Why.NOT_IN_RECORD, f"entry {index} is not proven to be in the signed record", index=index)
    try:
        entry = canonical.decode(bytes_)
    except NotCanonical:
        raise RecordBroken(
            Why.MALFORMED, f"entry {index} is in the record, but its bytes are not canonical", index=index
        ) from None
    shown = _check_openings(values.get("openings", []), entry, index, fields)
    return (
        Verified(
            entries=1,
            whole=False,
            checkpoint=checkpoint,
            verifier_key=keys[0].vkey,
            pinned=bool(trusted),
            bound=True,
            entries_shown=1,
            names_checked=shown,
        ),
        entry,
    )


def _check_openings(openings: Json, entry: dict[str, Json], index: int, fields: Fields) -> int:
    """Every disclosed text must open a commitment that stands in this entry."""
    if not isinstance(openings, list) or len(openings) > MAX_OPENINGS:
        raise fields.wrong("openings")
    promised = set(_commitments(entry))
    for each in openings:
        parts = [each.get(key) for key in ("c", "salt", "value")] if isinstance(each, dict) else []
        texts = [part for part in parts if isinstance(part, str)]
        if len(texts) != 3 or _HASH.fullmatch(texts[1]) is None:
            raise fields.wrong("openings")
        commitment, salt, value = texts
        if commitment not in promised or not opens(commitment, bytes.fromhex(salt), value):
            raise RecordBroken(
                Why.PERSON_CHANGED, f"entry {index}: a disclosed detail is not the one that was recorded", index=index
            )
    return len(openings)


def _commitments(value: Json) -> Iterable[str]:
    """All commitments anywhere in an entry (its depth is bounded by its canonical form)."""
    if isinstance(value, dict):
        mark = value.get("c")
        if len(value) == 1 and isinstance(mark, str):
            yield mark
        for inner in value.values():
            yield from _commitments(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _commitments(inner)


def require_extension(old: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
    """Refuse a checkpoint that does not extend an older one: the rule of every witness."""
    if old.origin != new.origin:
        raise RecordBroken(Why.NOT_AN_EXTENSION, "the two checkpoints belong to different records")
    if new.size < old.size:
        raise RecordBroken(
            Why.NOT_AN_EXTENSION,
            f"the older checkpoint counts {old.size} entries, the newer one only {new.size}: the tail was cut",
            index=new.size,
            until=old.size - 1,
        )
    if not consistency_holds(old.size, new.size, old.root, new.root, proof):
        raise RecordBroken(
            Why.NOT_AN_EXTENSION,
            f"the newer checkpoint is not proven to contain the {old.size} entries of the older one",
            index=0,
            until=max(old.size - 1, 0),
        )


def verify_extension(data: bytes, *, trusted: Sequence[Verifier] = ()) -> Verified:
    """Check that the record only grew from one checkpoint to the other."""
    values = document(data, _NAME)
    fields = Fields(values, _NAME)
    if values.get("format") != EXTENSION_FORMAT:
        raise fields.wrong("format")
    keys = tuple(trusted) or (Verifier.parse(fields.text("verifier_key")),)
    old, new = open_checkpoint(fields.text("old"), keys), open_checkpoint(fields.text("new"), keys)
    require_extension(old, new, fields.path("proof"))
    return Verified(
        entries=0, whole=False, checkpoint=new, verifier_key=keys[0].vkey, pinned=bool(trusted), bound=True, held=1
    )
