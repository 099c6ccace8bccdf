"""A verifier that somebody else might have written from the section "Export format" of the interfaces alone.

hashlib, base64, json, csv, and one Ed25519 check; it shares nothing with the product and knows no seal, no names, no
words of ours. `wrong(path)` answers with what it found wrong, or with nothing; `wrong(path, key)` trusts only that key.
It is as strict as the text allows: every column and every key of the manifest, in the order and the form stated there.
"""

import base64
import csv
import hashlib
import json
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

COLUMNS = [
    "index", "at", "received_at", "device", "door", "zone", "direction", "event", "reason", "norm", "person_id",
    "person", "credential", "visit", "device_time", "skew_s", "leaf",
]  # fmt: skip
MANIFEST = [
    "exported_by", "exported_at", "filter", "lines", "sha256", "first_index", "last_index", "whole", "checkpoint",
    "verifier_key",
]  # fmt: skip
REDACTED = {"person_id", "person", "credential"}


def _sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return _sha()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return _sha(b"\x01", _root(leaves[:k]), _root(leaves[k:]))


def _climb(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes | None:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return None
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = _sha(b"\x01", p, r)
            if not fn & 1:
                while fn and not fn & 1:
                    fn, sn = fn >> 1, sn >> 1
        else:
            r = _sha(b"\x01", r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def _checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """Size and root of a C2SP signed note: origin, size, root, an empty line, signature lines."""
    text, _, signatures = note.rpartition("\n\n")
    name, key_id, key = vkey.split("+", 2)
    public = base64.b64decode(key, validate=True)
    if len(public) != 33 or public[:1] != b"\x01" or _sha(f"{name}\n".encode(), public)[:4].hex() != key_id:
        raise InvalidSignature
    if not signatures.endswith("\n"):
        raise InvalidSignature
    for line in signatures.splitlines():
        dash, who, blob = line.split(" ")
        raw = base64.b64decode(blob, validate=True)
        if dash == "\u2014" and who == name and raw[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[4:], f"{text}\n".encode())
            _origin, size, root = text.splitlines()
            return int(size), base64.b64decode(root, validate=True)
    raise InvalidSignature


def _rows(raw: bytes) -> tuple[list[dict[str, object]], bool]:
    """The lines of the file, and whether they are CSV."""
    if raw[:1] in {b"", b"{"}:
        return [json.loads(line) for line in raw.decode("utf-8").split("\n")[:-1]], False
    reader = csv.reader(raw.decode("utf-8").splitlines(keepends=True), strict=True)
    header = next(reader)
    return [dict(zip(header, row, strict=True)) for row in reader], True


def _columns(row: dict[str, object], *, is_csv: bool) -> str:
    """What is wrong with the columns of one line."""
    if not is_csv and set(row) == {"index", "entry", "leaf"}:
        return ""  # an export of the whole record needs only these
    given = [name for name in row if name in COLUMNS]
    if given not in (COLUMNS, [name for name in COLUMNS if name not in REDACTED]):
        return f"columns {given}"
    for name in ("at", "received_at"):
        if row[name] and datetime.fromisoformat(str(row[name])).tzinfo is None:
            return f"{name} without offset"
    if "entry" not in row:
        return ""
    entry = json.loads(base64.b64decode(str(row["entry"]), validate=True))
    for name in set(COLUMNS) & set(entry) - {"person"}:  # the entry has a commitment there
        if row[name] != entry[name]:
            return f"{name} is not the entry's"
    return ""


def _manifest(manifest: dict[str, object], rows: list[dict[str, object]]) -> str:
    """What the manifest says that the file does not."""
    indexes = [int(str(row["index"])) for row in rows]
    ends = (indexes[0], indexes[-1]) if indexes else (None, None)
    for name, holds in {
        "keys": all(name in manifest for name in MANIFEST),
        "lines": manifest.get("lines") == len(rows),
        "ends": (manifest.get("first_index"), manifest.get("last_index")) == ends,
        "order": indexes == sorted(set(indexes)),
        "exported_at": datetime.fromisoformat(str(manifest.get("exported_at"))).tzinfo is not None,
    }.items():
        if not holds:
            return name
    return ""


def _lines(rows: list[dict[str, object]], *, is_csv: bool) -> str:
    """The first line that is not what it has to be, and why."""
    for row in rows:
        if found := _columns(row, is_csv=is_csv):
            return f"line {row['index']}: {found}"
        if "entry" in row and _sha(b"\x00", base64.b64decode(str(row["entry"]))).hex() != row["leaf"]:
            return f"leaf {row['index']}"
    return ""


def _paths(path: Path, rows: list[dict[str, object]], size: int, root: bytes) -> str:
    """The first line whose audit path does not lead to the root."""
    proofs = [json.loads(line) for line in Path(f"{path}.proofs").read_bytes().decode("utf-8").split("\n")[:-1]]
    if [proof["index"] for proof in proofs] != [int(str(row["index"])) for row in rows]:
        return "order"
    for row, proof in zip(rows, proofs, strict=True):
        climbed = _climb(
            proof["index"], size, bytes.fromhex(str(row["leaf"])), list(map(bytes.fromhex, proof["proof"]))
        )
        if set(proof) != {"index", "proof"} or climbed != root:
            return f"proof {proof['index']}"
    return ""


def wrong(path: Path, key: str = "") -> str:
    """What is wrong with an export; empty where nothing is."""
    manifest = json.loads(Path(f"{path}.manifest").read_text("utf-8"))
    try:
        size, root = _checkpoint(manifest["checkpoint"], key or manifest["verifier_key"])
    except InvalidSignature:
        return "signature"
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != manifest["sha256"]:
        return "digest"
    rows, is_csv = _rows(raw)
    if found := _manifest(manifest, rows) or _lines(rows, is_csv=is_csv):
        return found
    if not manifest["whole"]:
        return _paths(path, rows, size, root)
    is_all = [int(str(row["index"])) for row in rows] == list(range(size))
    return "" if is_all and _root([bytes.fromhex(str(row["leaf"])) for row in rows]) == root else "root"
