"""Exports made from nothing but the documented format, for the verifier to judge."""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from accessctl.record.canonical import Json, decode, encode
from accessctl.record.columns import COLUMNS, cell, line_of
from accessctl.record.commitment import Opening, seal
from accessctl.record.manifest import Manifest
from accessctl.record.merkle import leaf_hash
from accessctl.record.notes import Checkpoint, Signer, sign_checkpoint
from tests.record import reference

SIGNER = Signer("igss.example/record", hashlib.sha256(b"test key").digest())
STRANGER = Signer("igss.example/record", hashlib.sha256(b"another key").digest())


def opening(number: int) -> Opening:
    return seal(hashlib.sha256(b"salt %d" % number).digest(), f"=María Nº {number}, «la jefa»")


def facts(count: int) -> list[bytes]:
    """Entries as the services write them."""
    return [
        encode(
            {
                "v": 1,
                "fact": "door:entry:granted",
                "at": f"2026-01-01T07:{number // 60 % 60:02}:{number % 60:02}+00:00",
                "device": "cd-panel",
                "door": "cd-1",
                "direction": "in",
                "event": "granted",
                "person_id": number % 7,
                "person": opening(number).mark,
                "credential": f"{100000 + number}",
                "skew_s": -(number % 3),
                "data": {"verify": 1, "note": "línea\ncon salto"},
            }
        )
        for number in range(count)
    ]


@dataclass
class Export:
    """A file with its companions, as bytes that a test may spoil before it asks."""

    file: bytes
    manifest: bytes
    proofs: bytes | None = None
    entries: list[bytes] = field(default_factory=list)

    def write(self, folder: Path, name: str) -> Path:
        path = folder / name
        path.write_bytes(self.file)
        (folder / f"{name}.manifest").write_bytes(self.manifest)
        if self.proofs is not None:
            (folder / f"{name}.proofs").write_bytes(self.proofs)
        return path


def note(entries: Sequence[bytes], signer: Signer = SIGNER) -> str:
    root = reference.root([reference.leaf(entry) for entry in entries])
    return sign_checkpoint(Checkpoint(origin=signer.name, size=len(entries), root=root), signer)


def bare(entries: Sequence[bytes], chosen: Iterable[int]) -> bytes:
    """The record itself: index, entry, leaf."""
    return "".join(
        json.dumps({"index": at, "entry": base64.b64encode(entries[at]).decode(), "leaf": leaf_hash(entries[at]).hex()})
        + "\n"
        for at in chosen
    ).encode()


def jsonl(entries: Sequence[bytes], chosen: Iterable[int]) -> bytes:
    lines = []
    for index in chosen:
        entry = entries[index]
        line: dict[str, Json] = line_of(index, decode(entry), leaf_hash(entry), person=opening(index).value)
        line["person_salt"] = opening(index).salt.hex()
        lines.append(json.dumps(line | {"entry": base64.b64encode(entry).decode()}, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def as_csv(entries: Sequence[bytes], chosen: Iterable[int]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for index in chosen:
        line = line_of(index, decode(entries[index]), leaf_hash(entries[index]), person=opening(index).value)
        writer.writerow([cell(value) for value in line.values()])
    return out.getvalue().encode()


def export(
    entries: Sequence[bytes],
    *,
    chosen: Sequence[int] | None = None,
    make: Callable[[Sequence[bytes], Iterable[int]], bytes] = jsonl,
    signer: Signer = SIGNER,
    sealed: bool = True,
) -> Export:
    """A whole export, or with `chosen` a filtered one with its proofs."""
    picked = list(range(len(entries))) if chosen is None else list(chosen)
    file = make(entries, picked)
    manifest = Manifest(
        exported_by="auditor",
        exported_at="2026-01-02T08:00:00+00:00",
        filter={} if chosen is None else {"door": "cd-1"},
        lines=len(picked),
        sha256=hashlib.sha256(file).hexdigest(),
        first_index=picked[0] if picked else None,
        last_index=picked[-1] if picked else None,
        whole=chosen is None,
        checkpoint=note(entries, signer),
        verifier_key=signer.verifier.vkey,
    )
    proofs = None
    if chosen is not None:
        leaves = [reference.leaf(entry) for entry in entries]
        proofs = "".join(
            json.dumps({"index": index, "proof": [each.hex() for each in reference.path(index, leaves)]}) + "\n"
            for index in picked
        ).encode()
    return Export(file, (manifest.sealed(signer) if sealed else manifest).to_bytes(), proofs, list(entries))
