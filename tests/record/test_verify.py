"""The verifier accepts what is genuine and refuses everything else in one sentence, naming the first bad entry
where it can.
"""

import hashlib
import io
import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessctl.record.broken import RecordBroken, Why
from accessctl.record.canonical import encode
from accessctl.record.merkle import leaf_hash
from accessctl.record.notes import Checkpoint, Verifier, open_checkpoint
from accessctl.record.reading import MAX_LINE
from accessctl.record.verify import Verified, verify_export
from tests.record.exports import SIGNER, STRANGER, Export, as_csv, bare, export, facts, note

COUNT = 60
ENTRIES = facts(COUNT)
SOME = [3, 4, 17, 40, 59]
GENUINE = {
    "whole jsonl": export(ENTRIES),
    "whole csv": export(ENTRIES, make=as_csv),
    "filtered jsonl": export(ENTRIES, chosen=SOME),
    "filtered csv": export(ENTRIES, chosen=SOME, make=as_csv),
}
KEYS = [SIGNER.verifier]


def check(what: Export, trusted: Sequence[Verifier] = KEYS, held: Sequence[Checkpoint] = ()) -> Verified:
    proofs = None if what.proofs is None else io.BytesIO(what.proofs)
    return verify_export(io.BytesIO(what.file), what.manifest, proofs=proofs, trusted=trusted, held=held)


def broken(what: Export, trusted: Sequence[Verifier] = KEYS, held: Sequence[Checkpoint] = ()) -> RecordBroken:
    with pytest.raises(RecordBroken) as refused:
        check(what, trusted, held)
    text = str(refused.value)
    assert text
    assert "\n" not in text
    assert len(text) < 250
    return refused.value


def forged(what: Export, file: bytes, *, lines: int | None = None) -> Export:
    """The file changed and the manifest adapted to it, as an adversary without the key would (the seal is torn off)."""
    manifest = json.loads(what.manifest)
    manifest["sha256"] = hashlib.sha256(file).hexdigest()
    del manifest["seal"]
    if lines is not None:
        manifest |= {"lines": lines, "last_index": lines - 1}
    return Export(file, json.dumps(manifest).encode(), what.proofs)


@pytest.mark.parametrize("name", GENUINE)
def test_the_genuine_is_accepted(name: str) -> None:
    found = check(GENUINE[name])
    whole, with_entries = name.startswith("whole"), name.endswith("jsonl")
    lines = COUNT if whole else len(SOME)
    assert (found.entries, found.whole, found.sealed, found.pinned) == (lines, whole, True, True)
    assert found.entries_shown == found.names_checked == (lines if with_entries else 0)
    assert found.checkpoint.size == COUNT
    assert not check(GENUINE[name], trusted=()).pinned


def test_the_bare_record_and_the_empty_one() -> None:
    assert check(export(ENTRIES, make=bare)).entries_shown == COUNT
    assert check(export([])).entries == 0
    assert check(export(ENTRIES, chosen=[])).entries == 0
    assert check(export(ENTRIES, sealed=False)).sealed is False


@pytest.mark.parametrize("name", GENUINE)
def test_the_key_decides(name: str) -> None:
    assert broken(GENUINE[name], [STRANGER.verifier]).why is Why.UNKNOWN_KEY
    forged_by_stranger = export(ENTRIES, signer=STRANGER)
    assert check(forged_by_stranger, trusted=()).pinned is False  # agrees with itself, and says that this is all
    assert broken(forged_by_stranger).why is Why.UNKNOWN_KEY
    rotated = check(GENUINE[name], [STRANGER.verifier, SIGNER.verifier])
    assert rotated.pinned


def test_a_forged_checkpoint() -> None:
    for change in (("60", "61"), ("igss", "IGSS")):
        manifest = json.loads(GENUINE["whole jsonl"].manifest)
        manifest["checkpoint"] = manifest["checkpoint"].replace(*change, 1)
        spoilt = Export(GENUINE["whole jsonl"].file, json.dumps(manifest).encode())
        assert broken(spoilt).why is Why.BAD_SIGNATURE


def _edit(entries: list[bytes], at: int) -> None:
    entries[at] = entries[at].replace(b'"event":"granted"', b'"event":"refused"')


def _drop(entries: list[bytes], at: int) -> None:
    del entries[at]


def _swap(entries: list[bytes], at: int) -> None:
    other = at + 1 if at + 1 < len(entries) else at - 1
    entries[at], entries[other] = entries[other], entries[at]


def _double(entries: list[bytes], at: int) -> None:
    entries.insert(at, entries[at])


def _add(entries: list[bytes], at: int) -> None:
    entries.insert(at, encode({"v": 1, "fact": "invented"}))


def _cut(entries: list[bytes], at: int) -> None:
    del entries[at:]


@pytest.mark.parametrize("attack", [_edit, _drop, _swap, _double, _add, _cut])
@given(at=st.integers(0, COUNT - 1), kind=st.sampled_from([bare, as_csv]))
@settings(max_examples=15)
def test_a_rewritten_record_does_not_reach_the_signed_root(
    attack: Callable[[list[bytes], int], None], at: int, kind: Callable[..., bytes]
) -> None:
    """Entries, leaves, indexes and manifest are rewritten to agree; only the signature is out of reach."""
    entries = list(ENTRIES)
    attack(entries, at)
    made = export(entries, make=kind)
    manifest = json.loads(made.manifest)
    manifest["checkpoint"] = note(ENTRIES)
    del manifest["seal"]
    refused = broken(Export(made.file, json.dumps(manifest).encode()))
    if len(entries) == COUNT:
        assert refused.why is Why.WRONG_ROOT
        assert refused.index is not None
        assert refused.until is not None
        assert refused.index <= at <= refused.until
    elif entries:
        assert refused.why is Why.WRONG_SIZE
    else:
        assert refused.why is Why.MALFORMED


@pytest.mark.parametrize("name", ["whole jsonl", "whole csv"])
@given(at=st.integers(0, COUNT - 1))
@settings(max_examples=15)
def test_a_line_dropped_moved_or_cut_is_named(name: str, at: int) -> None:
    what = GENUINE[name]
    head, lines = _lines(what.file)
    without = head + b"".join(lines[:at] + lines[at + 1 :])
    refused = broken(forged(what, without))
    assert refused.index == at
    assert refused.why is (Why.ORDER if at < COUNT - 1 else Why.TRUNCATED)
    other = (at + 1) % COUNT
    lines[at], lines[other] = lines[other], lines[at]
    assert broken(forged(what, head + b"".join(lines))).index == min(at, other)
    assert broken(forged(what, what.file[: -at - 1])).why is Why.TRUNCATED
    assert broken(forged(what, what.file + lines[at])).why is Why.WRONG_SIZE


@given(at=st.integers(0, COUNT - 1))
@settings(max_examples=20)
def test_bytes_that_do_not_hash_to_their_leaf_are_named(at: int) -> None:
    what = GENUINE["whole jsonl"]
    _, lines = _lines(what.file)
    line = json.loads(lines[at])
    line["entry"] = json.loads(bare([encode({"v": 1})], [0]))["entry"]
    lines[at] = json.dumps(line).encode() + b"\n"
    refused = broken(forged(what, b"".join(lines)))
    assert (refused.why, refused.index, refused.line) == (Why.ENTRY_CHANGED, at, at + 1)


@pytest.mark.parametrize("name", GENUINE)
@given(data=st.data())
@settings(max_examples=40)
def test_no_byte_of_a_file_may_change(name: str, data: st.DataObject) -> None:
    what = GENUINE[name]
    at = data.draw(st.integers(0, len(what.file) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != what.file[at]))
    broken(Export(what.file[:at] + bytes([byte]) + what.file[at + 1 :], what.manifest, what.proofs))


@given(data=st.data())
@settings(max_examples=60)
def test_no_byte_of_a_sealed_manifest_may_change_meaning(data: st.DataObject) -> None:
    what = GENUINE["filtered csv"]
    at = data.draw(st.integers(0, len(what.manifest) - 2))
    byte = data.draw(st.integers(33, 126).filter(lambda value: value != what.manifest[at]))
    spoilt = what.manifest[:at] + bytes([byte]) + what.manifest[at + 1 :]
    try:
        same = json.loads(spoilt) == json.loads(what.manifest)
    except ValueError:
        same = False
    if not same and b'"seal"' in spoilt:  # without its seal it is an unsealed manifest, and is reported as one
        broken(Export(what.file, spoilt, what.proofs))


def test_visible_columns_must_repeat_the_entry() -> None:
    what = GENUINE["whole jsonl"]
    _, lines = _lines(what.file)
    for column, value in (
        ("door", "cd-2"),
        ("event", None),
        ("person_id", "1"),
        ("person_id", True),
        ("skew_s", 5),
        ("zone", "invented"),
    ):
        changed = json.loads(lines[1]) | {column: value}
        file = b"".join([lines[0], json.dumps(changed).encode() + b"\n", *lines[2:]])
        refused = broken(forged(what, file))
        assert (refused.why, refused.index, column in str(refused)) == (Why.COLUMN_CHANGED, 1, True)
    redacted = [json.loads(line) for line in lines]
    for line in redacted:
        del line["person"], line["person_salt"], line["credential"]
    found = check(forged(what, "".join(json.dumps(line) + "\n" for line in redacted).encode()))
    assert (found.entries_shown, found.names_checked) == (COUNT, 0)


def test_a_disclosed_person_is_the_committed_one() -> None:
    what = GENUINE["whole jsonl"]
    _, lines = _lines(what.file)
    for change in ({"person": "Otra Persona"}, {"person_salt": "00" * 32}, {"person_salt": "xx"}, {"person": None}):
        changed = json.loads(lines[2]) | change
        file = b"".join([*lines[:2], json.dumps(changed).encode() + b"\n", *lines[3:]])
        refused = broken(forged(what, file))
        assert (refused.why, refused.index) == (Why.PERSON_CHANGED, 2)
        assert "Otra" not in str(refused)


def test_a_changed_csv_cell_is_caught_by_digest_and_seal() -> None:
    what = GENUINE["whole csv"]
    file = what.file.replace(b"cd-panel", b"cd-pane1", 1)
    assert broken(Export(file, what.manifest)).why is Why.FILE_CHANGED
    manifest = json.loads(what.manifest) | {"sha256": hashlib.sha256(file).hexdigest()}
    assert broken(Export(file, json.dumps(manifest).encode())).why is Why.SEAL_BROKEN
    assert (
        check(forged(what, file)).sealed is False
    )  # without a seal the columns are the exporter's word, and it says so


def test_proofs_belong_to_their_lines() -> None:
    what = GENUINE["filtered csv"]
    assert what.proofs is not None
    lines = what.proofs.splitlines(keepends=True)
    cases = {
        b"": Why.TRUNCATED,
        b"".join(lines[:-1]): Why.TRUNCATED,
        b"".join([*lines, lines[-1]]): Why.WRONG_SIZE,
        b"".join([lines[1], lines[0], *lines[2:]]): Why.NOT_IN_RECORD,
        what.proofs[:-1]: Why.TRUNCATED,
        what.proofs.replace(b"[", b"{"): Why.MALFORMED,
        what.proofs.replace(b'["', b'["00", "', 1): Why.MALFORMED,
        b"\n" * 5: Why.TRUNCATED,
    }
    for proofs, why in cases.items():
        assert broken(Export(what.file, what.manifest, proofs)).why is why
    assert broken(Export(what.file, what.manifest)).why is Why.UNREADABLE
    proof = json.loads(lines[2])
    proof["proof"][0] = "00" * 32
    spoilt = b"".join([*lines[:2], json.dumps(proof).encode() + b"\n", *lines[3:]])
    assert broken(Export(what.file, what.manifest, spoilt)).index == SOME[2]


def test_held_checkpoints_show_that_it_only_grew() -> None:
    what = GENUINE["whole csv"]
    held = [open_checkpoint(note(ENTRIES[:size]), KEYS) for size in (59, 0, 1, 33, 60, 33)]
    assert check(what, held=held).held == 6
    other = facts(COUNT)
    _edit(other, 20)
    rewritten = [open_checkpoint(note(other[:size]), KEYS) for size in (10, 15, 30, 50)]
    refused = broken(what, held=rewritten)
    assert (refused.why, refused.index, refused.until) == (Why.NOT_AN_EXTENSION, 15, 29)
    longer = open_checkpoint(note(facts(COUNT + 2)), KEYS)
    refused = broken(what, held=[longer])
    assert (refused.why, refused.index, refused.until) == (Why.NOT_AN_EXTENSION, COUNT, COUNT + 1)
    assert broken(export([]), held=[longer]).why is Why.NOT_AN_EXTENSION
    assert check(export([]), held=[open_checkpoint(note([]), KEYS)]).held == 1
    elsewhere = Checkpoint(origin="other.example", size=1, root=leaf_hash(ENTRIES[0]))
    assert broken(what, held=[elsewhere]).why is Why.NOT_AN_EXTENSION
    assert broken(GENUINE["filtered csv"], held=held).why is Why.NOT_WHOLE


@pytest.mark.parametrize(
    "change",
    [
        {"lines": -1},
        {"lines": True},
        {"lines": 1.5},
        {"lines": "60"},
        {"sha256": "00"},
        {"whole": 1},
        {"whole": False},
        {"first_index": 1},
        {"first_index": None},
        {"last_index": 58},
        {"last_index": 2**70},
        {"checkpoint": None},
        {"verifier_key": 5},
        {"exported_by": ["x"]},
        {"seal": 1},
        {"extra": 1.5},
    ],
    ids=str,
)
def test_a_manifest_that_makes_no_sense(change: dict[str, object]) -> None:
    manifest = json.loads(GENUINE["whole csv"].manifest) | change
    refused = broken(Export(GENUINE["whole csv"].file, json.dumps(manifest).encode()))
    assert refused.why in {Why.MALFORMED, Why.SEAL_BROKEN}


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", Why.EMPTY),
        (b"\n", Why.MALFORMED),
        (b"{", Why.TRUNCATED),
        (b"{\n", Why.MALFORMED),
        (b"[]\n", Why.MALFORMED),
        (b"index,leaf\n", Why.EMPTY),
        (b"index,leaf,leaf\n", Why.MALFORMED),
        (b"index\n0\n", Why.MALFORMED),
        (b'index,leaf\n0,"a\nb"\n', Why.MALFORMED),
        (b"index,leaf\n\n", Why.MALFORMED),
        (b"index,leaf\n0\n", Why.MALFORMED),
        (b"index,leaf\n0,zz\n", Why.MALFORMED),
        (b"index,leaf\n00," + b"0" * 64 + b"\n", Why.MALFORMED),
        (b"index,leaf\n1," + b"0" * 64 + b"\n", Why.ORDER),
        (b"index,leaf\n\xff," + b"0" * 64 + b"\n", Why.MALFORMED),
        (b"%PDF-1.7\n", Why.MALFORMED),
        (b'{"index":0}\n', Why.MALFORMED),
        (b'{"index":0,"leaf":"' + b"0" * 64 + b'","entry":"####"}\n', Why.MALFORMED),
        (b'{"index":0,"leaf":"' + b"0" * 64 + b'","entry":"\xc3\xa9"}\n', Why.MALFORMED),
        (b'{"index":' + b"9" * 400 + b"}\n", Why.MALFORMED),
        (b"[" * 100_000 + b"\n", Why.MALFORMED),
        (b"{" + b'"a":{' * 50_000 + b"\n", Why.MALFORMED),
        (b"x" * (MAX_LINE + 1) + b"\n", Why.TOO_LARGE),
    ],
)
def test_files_that_are_no_export(file: bytes, why: Why) -> None:
    assert broken(Export(file, GENUINE["whole csv"].manifest)).why is why


@given(st.binary(max_size=400), st.binary(max_size=400), st.none() | st.binary(max_size=100), st.booleans())
def test_noise_raises_one_thing(file: bytes, manifest: bytes, proofs: bytes | None, genuine: bool) -> None:
    name = "whole csv" if proofs is None else "filtered csv"
    broken(Export(file, GENUINE[name].manifest if genuine else manifest, proofs))


class _Endless(io.RawIOBase):
    """Ten gigabytes that are never in memory; `tell` says how much was asked for."""

    def __init__(self, block: bytes, size: int) -> None:
        self._block, self._left = block, size
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        count = min(size, self._left, len(self._block))
        self._left -= count
        self.given += count
        return self._block[:count]


@pytest.mark.parametrize("block", [bytes(1 << 20), b"index,leaf\n" * 90_000])
def test_ten_gigabytes_of_nonsense_end_soon(block: bytes) -> None:
    source = _Endless(block, 10 << 30)
    with pytest.raises(RecordBroken):
        verify_export(source, GENUINE["whole csv"].manifest, trusted=KEYS)  # type: ignore[arg-type]  # a RawIOBase reads alike
    assert source.given < 4 << 20


def test_a_disk_that_fails_is_one_sentence() -> None:
    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(RecordBroken) as refused:
        verify_export(Failing(), GENUINE["whole csv"].manifest, trusted=KEYS)
    assert refused.value.why is Why.UNREADABLE


def _lines(file: bytes) -> tuple[bytes, list[bytes]]:
    """The header, if it is CSV, and the lines with their ends."""
    lines = file.splitlines(keepends=True)
    return (b"", lines) if file.startswith(b"{") else (lines[0], lines[1:])
