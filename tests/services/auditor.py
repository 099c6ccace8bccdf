"""A verifier that somebody else might have written from the export format alone: hashlib, base64, json, csv, and one
Ed25519 check. It shares nothing with the product; it answers with what it found wrong, or with nothing.
"""

import base64
import csv
import hashlib
import json
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


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
    text, _, signatures = note.rpartition("\n\n")
    name, key_id, key = vkey.split("+", 2)
    public = base64.b64decode(key)
    assert public[:1] == b"\x01"
    assert _sha(f"{name}\n".encode(), public)[:4].hex() == key_id
    for line in signatures.splitlines():
        _dash, who, blob = line.split(" ")
        raw = base64.b64decode(blob)
        if who == name and raw[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(raw[4:], (text + "\n").encode())
            _origin, size, root = (text + "\n").splitlines()[:3]
            return int(size), base64.b64decode(root)
    raise InvalidSignature


def wrong(path: Path) -> str:
    """What is wrong with an export; empty where nothing is."""
    manifest = json.loads(Path(f"{path}.manifest").read_text("utf-8"))
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != manifest["sha256"]:
        return "digest"
    try:
        size, root = _checkpoint(manifest["checkpoint"], manifest["verifier_key"])
    except InvalidSignature:
        return "signature"
    lines = raw.decode("utf-8").splitlines()
    rows: list[dict[str, object]]
    is_json = raw[:1] in {b"", b"{"}
    rows = [json.loads(line) for line in lines] if is_json else [dict(row) for row in csv.DictReader(lines)]
    if len(rows) != manifest["lines"]:
        return "lines"
    indexes = [int(str(row["index"])) for row in rows]
    leaves = [bytes.fromhex(str(row["leaf"])) for row in rows]
    for row, leaf in zip(rows, leaves, strict=True):
        if "entry" in row and _sha(b"\x00", base64.b64decode(str(row["entry"]))) != leaf:
            return f"leaf {row['index']}"
    if manifest["whole"]:
        good = indexes == list(range(size)) and manifest["first_index"] in {0, None}
        return "" if good and _root(leaves) == root else "root"
    proofs = [json.loads(line) for line in Path(f"{path}.proofs").read_text("utf-8").splitlines()]
    if [proof["index"] for proof in proofs] != indexes or indexes != sorted(set(indexes)):
        return "order"
    for index, leaf, proof in zip(indexes, leaves, proofs, strict=True):
        if _climb(index, size, leaf, [bytes.fromhex(one) for one in proof["proof"]]) != root:
            return f"proof {index}"
    return ""
