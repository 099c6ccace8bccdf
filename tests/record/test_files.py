"""`verify_file` knows what it is given; small proofs hold, and no changed one does."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.commitment import Opening
from accessctl.record.files import verify_file
from accessctl.record.notes import open_checkpoint
from accessctl.record.proofs import extension_file, proof_file, require_extension, verify_extension, verify_proof
from tests.record import reference
from tests.record.exports import SIGNER, STRANGER, as_csv, export, facts, note, opening

ENTRIES = facts(30)
LEAVES = [reference.leaf(entry) for entry in ENTRIES]
KEYS = [SIGNER.verifier]
VKEY = SIGNER.verifier.vkey


def proof_of(index: int, *disclosed: Opening) -> bytes:
    return proof_file(index, ENTRIES[index], reference.path(index, LEAVES), note(ENTRIES), VKEY, disclosed=disclosed)


EXTENSION = extension_file(note(ENTRIES[:11]), note(ENTRIES), reference.proof(11, LEAVES), VKEY)


def why(check: Callable[[], object]) -> Why:
    with pytest.raises(RecordBroken) as refused:
        check()
    return refused.value.why


@given(st.integers(0, 29))
@settings(max_examples=10)
def test_one_entry_is_proven_with_its_person(index: int) -> None:
    data = proof_of(index, opening(index))
    assert len(data) < 4096
    found, entry = verify_proof(data, trusted=KEYS)
    assert (found.entries, found.names_checked, found.checkpoint.size, entry["credential"]) == (
        1,
        1,
        30,
        f"{100000 + index}",
    )
    assert why(lambda: verify_proof(proof_of(index, opening(index + 1)), trusted=KEYS)) is Why.PERSON_CHANGED
    assert why(lambda: verify_proof(data, trusted=[STRANGER.verifier])) is Why.UNKNOWN_KEY


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"index": 6}, Why.NOT_IN_RECORD),
        ({"index": -1}, Why.MALFORMED),
        ({"index": 30}, Why.NOT_IN_RECORD),
        ({"entry": base64.b64encode(ENTRIES[6]).decode()}, Why.ENTRY_CHANGED),
        ({"leaf": LEAVES[6].hex()}, Why.ENTRY_CHANGED),
        ({"proof": []}, Why.NOT_IN_RECORD),
        ({"proof": ["00"]}, Why.MALFORMED),
        ({"proof": ["00" * 32] * 200}, Why.MALFORMED),
        ({"checkpoint": note(ENTRIES[:29])}, Why.NOT_IN_RECORD),
        ({"checkpoint": note(ENTRIES, STRANGER)}, Why.UNKNOWN_KEY),
        ({"checkpoint": "x"}, Why.MALFORMED),
        ({"verifier_key": "x"}, Why.MALFORMED),
        ({"format": "accessctl/proof/v2"}, Why.MALFORMED),
        ({"openings": {}}, Why.MALFORMED),
        ({"openings": [1]}, Why.MALFORMED),
        ({"openings": [{"c": "", "salt": "zz", "value": "x"}]}, Why.MALFORMED),
        ({"openings": [{"c": "", "salt": "00" * 32, "value": "x"}]}, Why.PERSON_CHANGED),
    ],
    ids=str,
)
def test_a_changed_proof(change: dict[str, object], expected: Why) -> None:
    assert why(lambda: verify_proof(json.dumps(json.loads(proof_of(5)) | change).encode())) is expected


def test_an_entry_that_only_looks_canonical() -> None:
    entries = [b'{"b":1, "a":2}']
    data = proof_file(0, entries[0], [], note(entries), VKEY)
    assert why(lambda: verify_proof(data)) is Why.MALFORMED


def test_growth_is_proven_and_its_absence_too() -> None:
    assert verify_extension(EXTENSION, trusted=KEYS).checkpoint.size == 30
    changes: tuple[dict[str, object], ...] = (
        {"old": note(facts(12)[1:])},
        {"old": note(ENTRIES), "new": note(ENTRIES[:11])},
        {"proof": []},
        {"proof": json.loads(EXTENSION)["proof"][::-1]},
    )
    for change in changes:
        changed = json.dumps(json.loads(EXTENSION) | change).encode()
        assert why(lambda data=changed: verify_extension(data)) is Why.NOT_AN_EXTENSION  # type: ignore[misc]  # bound on purpose
    assert why(lambda: verify_extension(proof_of(1))) is Why.MALFORMED
    old, other = open_checkpoint(note(ENTRIES[:3]), KEYS), open_checkpoint(note(facts(4)), KEYS)
    require_extension(old, other, reference.proof(3, LEAVES[:4]))
    renamed = type(other)(origin="other", size=other.size, root=other.root)
    assert why(lambda: require_extension(old, renamed, [])) is Why.NOT_AN_EXTENSION


@given(st.data())
@settings(max_examples=60)
def test_spoilt_bytes_raise_one_thing_or_change_nothing(data: st.DataObject) -> None:
    genuine = data.draw(st.sampled_from([proof_of(5), EXTENSION]))
    check = verify_proof if genuine is not EXTENSION else verify_extension
    at = data.draw(st.integers(0, len(genuine) - 1))
    spoilt = genuine[:at] + bytes([data.draw(st.integers(0, 255))]) + genuine[at + 1 :]
    try:
        check(spoilt, trusted=KEYS)
    except RecordBroken:
        return
    same = {**json.loads(genuine), "verifier_key": None}  # the reader's key is used, so the file's own says nothing
    assert {**json.loads(spoilt), "verifier_key": None} == same


def test_every_kind_of_file_is_recognised(tmp_path: Path) -> None:
    whole = export(ENTRIES, make=as_csv).write(tmp_path, "events.csv")
    filtered = export(ENTRIES, chosen=[2, 9]).write(tmp_path, "events.jsonl")
    assert verify_file(whole, trusted=KEYS).entries == 30
    assert verify_file(tmp_path / "events.csv.manifest", trusted=KEYS).whole
    assert verify_file(tmp_path / "events.jsonl.proofs").entries == 2
    assert verify_file(filtered).names_checked == 2
    checkpoint = open_checkpoint(note(ENTRIES[:20]), KEYS)
    assert verify_file(whole, trusted=KEYS, held=[checkpoint]).held == 1
    proof, extension, page = tmp_path / "p.json", tmp_path / "e.json", tmp_path / "record.checkpoint"
    proof.write_bytes(proof_of(3))
    extension.write_bytes(EXTENSION)
    page.write_text(note(ENTRIES[:20]))
    assert verify_file(proof, trusted=KEYS).entries_shown == 1
    assert verify_file(extension, trusted=KEYS).held == 1
    assert verify_file(page, trusted=KEYS, held=[checkpoint]).checkpoint == checkpoint
    assert why(lambda: verify_file(page)) is Why.UNKNOWN_KEY
    other = open_checkpoint(note(ENTRIES[:21]), KEYS)
    assert why(lambda: verify_file(page, trusted=KEYS, held=[other])) is Why.NOT_AN_EXTENSION


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Why.EMPTY),
        (b"hello", Why.MALFORMED),
        (b"{}", Why.MALFORMED),
        (b"{", Why.MALFORMED),
        (bytes(100), Why.MALFORMED),
        (b"a\n\nb", Why.MALFORMED),
        (b"x\n\n" * 30_000, Why.MALFORMED),
        (b"x" * (5 << 20), Why.UNREADABLE),
    ],
    ids=lambda value: value[:8].hex() if isinstance(value, bytes) else str(value),
)
def test_strange_files(tmp_path: Path, content: bytes, expected: Why) -> None:
    (tmp_path / "strange").write_bytes(content)
    assert why(lambda: verify_file(tmp_path / "strange", trusted=KEYS)) is expected


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path,
        tmp_path / "pipe",
        tmp_path / "none",
        tmp_path / ("x" * 300),
        tmp_path / "a\x00b",
        Path("/proc/self/mem"),
    ):
        assert why(lambda path=path: verify_file(path)) is Why.UNREADABLE  # type: ignore[misc]  # bound on purpose
    export(ENTRIES).write(tmp_path, "alone")
    (tmp_path / "alone.manifest").write_bytes(b"")
    assert why(lambda: verify_file(tmp_path / "alone")) is Why.EMPTY
    (tmp_path / "alone.manifest").write_bytes(b"{" * (5 << 20))
    assert why(lambda: verify_file(tmp_path / "alone")) is Why.TOO_LARGE
