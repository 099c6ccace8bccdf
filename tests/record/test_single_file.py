"""The verifier that lies in the export accepts and refuses what `accessctl verify` does, whatever it is given."""

import ast
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessctl.cli.verdicts import unsealed
from accessctl.record import RecordBroken, open_checkpoint, single_file, verify_file
from accessctl.record.manifest import Manifest
from accessctl.record.notes import Checkpoint, Signer, Verifier, cosign, sign_checkpoint
from accessctl.record.proofs import extension_file, proof_file
from tests.record import reference
from tests.record.exports import SIGNER, STRANGER, Export, as_csv, bare, export, facts, jsonl, note, opening

SOURCE = Path(single_file.__file__)
COUNT = 40
ENTRIES = facts(COUNT)
SOME = [0, 3, 4, 17, 39]
LEAVES = [reference.leaf(entry) for entry in ENTRIES]
HELD = note(ENTRIES[:25])


def opaque() -> Export:
    """What a workbook is to a verifier: a digest, and leaves in its proofs."""
    made = export(ENTRIES, chosen=SOME, make=lambda *_: b"PK\x03\x04 some workbook")
    assert made.proofs is not None
    values = [
        json.loads(line) | {"leaf": LEAVES[at].hex()} for at, line in zip(SOME, made.proofs.splitlines(), strict=True)
    ]
    claim = {key: value for key, value in json.loads(made.manifest).items() if key != "seal"}
    proofs = "".join(json.dumps(value) + "\n" for value in values).encode()
    return Export(made.file, Manifest(**claim, format="xlsx").sealed(SIGNER).to_bytes(), proofs)


GENUINE = {
    "whole": export(ENTRIES),
    "whole-csv": export(ENTRIES, make=as_csv),
    "bare": export(ENTRIES, make=bare),
    "some": export(ENTRIES, chosen=SOME),
    "some-csv": export(ENTRIES, chosen=SOME, make=as_csv),
    "unsealed": export(ENTRIES, sealed=False),
    "unsealed-bare": export(ENTRIES, make=bare, sealed=False),
    "unsealed-csv": export(ENTRIES, make=as_csv, sealed=False),
    "empty": export([]),
    "none": export(ENTRIES, chosen=[]),
    "opaque": opaque(),
}
SMALL = {
    "proof": proof_file(
        17, ENTRIES[17], reference.path(17, LEAVES), note(ENTRIES), SIGNER.verifier.vkey, disclosed=[opening(17)]
    ),
    "extension": extension_file(HELD, note(ENTRIES), reference.proof(25, LEAVES), SIGNER.verifier.vkey),
    "checkpoint": cosign(note(ENTRIES), STRANGER).encode(),
}
KEY = single_file.key_of(SIGNER.verifier.vkey)


def theirs(path: Path, *, trusted: bool, held: Sequence[str] = ()) -> str:
    """What the verifier of the product says: nothing where it verifies."""
    keys = [SIGNER.verifier] if trusted else []
    try:
        if held and not trusted:
            keys = [Verifier.parse(verify_file(path).verifier_key)]
        found = verify_file(path, trusted=keys if trusted else (), held=[open_checkpoint(one, keys) for one in held])
    except RecordBroken as broken:
        return str(broken)
    return "unsealed" if unsealed(found) else ""


def ours(path: Path, *, trusted: bool, held: Sequence[str] = ()) -> str:
    try:
        single_file.verify(path, [KEY] if trusted else [], [one.encode() for one in held])
    except single_file.Broken as broken:
        said = str(broken)
    else:
        return ""
    assert said
    assert "\n" not in said
    return said


def same(path: Path, held: Sequence[str] = ()) -> list[bool]:
    """Whether it is refused, with the key and without; both verifiers agree."""
    found = []
    for trusted in (True, False):
        one, other = theirs(path, trusted=trusted, held=held), ours(path, trusted=trusted, held=held)
        assert bool(one) == bool(other), (trusted, one, other)
        found.append(bool(other))
    return found


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_exports(name: str, tmp_path: Path) -> None:
    path = GENUINE[name].write(tmp_path, name)
    assert same(path) == [name == "unsealed-csv"] * 2
    assert same(tmp_path / f"{name}.manifest") == [name == "unsealed-csv"] * 2
    for one in (HELD, note(ENTRIES[:0]), note(ENTRIES), note(facts(50)), note(facts(9)[1:]), note(ENTRIES, STRANGER)):
        refused = same(path, [one])
        if name == "whole":
            assert refused == [one not in {HELD, note(ENTRIES[:0]), note(ENTRIES)}] * 2


@pytest.mark.parametrize("name", SMALL)
def test_genuine_proofs_and_checkpoints(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(SMALL[name])
    assert same(tmp_path / name) == [False, name == "checkpoint"]
    for one in (HELD, note(ENTRIES)):
        same(tmp_path / name, [one])


Change = Callable[[bytes, "st.DataObject"], bytes]


def _flip(content: bytes, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([data.draw(st.integers(0, 255))]) + content[at + 1 :]


def _cut(content: bytes, data: st.DataObject) -> bytes:
    return content[: data.draw(st.integers(0, len(content) - 1))]


def _put(content: bytes, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(content)))
    odd = [
        b"\n",
        b"\r",
        b"\x00",
        b'"',
        b",",
        b"{}",
        b"[",
        b"\\u0000",
        b"\\ud800",
        b"1e999",
        b"-0",
        b"NaN",
        b"\xff",
        b" ",
    ]
    return content[:at] + data.draw(st.sampled_from(odd)) + content[at:]


def _lines(content: bytes, data: st.DataObject) -> bytes:
    lines = content.splitlines(keepends=True)
    at, to = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    kind = data.draw(st.sampled_from(["swap", "drop", "double"]))
    if kind == "swap":
        lines[at], lines[to] = lines[to], lines[at]
    elif kind == "drop":
        del lines[at]
    else:
        lines.insert(to, lines[at])
    return b"".join(lines)


def _value(content: bytes, data: st.DataObject) -> bytes:
    """One value of a JSON document replaced by another kind of value."""
    lines = content.split(b"\n")
    whole = content.startswith(b"{\n")
    at = data.draw(st.integers(0, max(0, len(lines) - 2)))
    try:
        values = json.loads(content if whole else lines[at])
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return content + b"x"
    key = data.draw(st.sampled_from(sorted(values)))
    odd: list[object] = [
        None,
        True,
        0,
        -1,
        2**64,
        2**70,
        1.0,
        "",
        "x",
        [],
        ["x"],
        {},
        {"c": 1},
        "\ud800",
        "é",
        "e\u0301",
        [[[]]],
    ]
    values[key] = data.draw(st.sampled_from(odd))
    if data.draw(st.booleans()):
        del values[key]
    made = json.dumps(values).encode()
    return made if whole else b"\n".join([*lines[:at], made, *lines[at + 1 :]])


CHANGES: list[Change] = [_flip, _cut, _put, _lines, _value]


@pytest.mark.parametrize("name", GENUINE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_spoilt_exports_are_judged_alike(name: str, data: st.DataObject, tmp_path: Path) -> None:
    what = GENUINE[name]
    parts = {"file": what.file, "manifest": what.manifest, "proofs": what.proofs}
    which = data.draw(st.sampled_from([key for key, value in parts.items() if value]))
    parts[which] = data.draw(st.sampled_from(CHANGES))(parts[which] or b"", data)
    if data.draw(st.booleans()):  # the forger also mends the manifest, which costs him the seal
        try:
            claim = json.loads(parts["manifest"] or b"")
            claim["sha256"] = single_file.sha(parts["file"] or b"").hex()
            claim.pop("seal", None)
            parts["manifest"] = json.dumps(claim).encode()
        except (ValueError, TypeError, AttributeError):
            pass
    spoilt = Export(parts["file"] or b"", parts["manifest"] or b"", parts["proofs"])
    for old in tmp_path.iterdir():
        old.unlink()
    refused = same(spoilt.write(tmp_path, "x"))
    if which == "file" and parts["file"] != what.file and b'"seal"' in spoilt.manifest:
        assert refused == [True, True]


@pytest.mark.parametrize("name", SMALL)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_spoilt_proofs_are_judged_alike(name: str, data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(data.draw(st.sampled_from(CHANGES))(SMALL[name], data))
    same(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=200), st.from_regex(r"[\[{\"a0\]}:,\\u\n—+ ]{0,60}").map(str.encode)))
def test_any_bytes(content: bytes, tmp_path: Path) -> None:
    for name in ("x", "y", "y.manifest", "y.proofs"):
        (tmp_path / name).write_bytes(content)
    assert same(tmp_path / "x") == same(tmp_path / "y") == [True, True]


@pytest.mark.parametrize("proven", [True, False])
def test_columns_that_lie_are_seen(proven: bool, tmp_path: Path) -> None:
    lines = jsonl(ENTRIES, range(COUNT)).splitlines()
    values = json.loads(lines[7])
    values |= {"door": "cd-9"} if proven else {"person": "Otra Persona"}
    lines[7] = json.dumps(values, ensure_ascii=False).encode()
    file = b"\n".join([*lines, b""])
    claim = json.loads(GENUINE["whole"].manifest) | {"sha256": single_file.sha(file).hex()}
    path = Export(file, Manifest(**(claim | {"seal": None})).sealed(SIGNER).to_bytes()).write(tmp_path, "x")
    assert same(path) == [True, True], "the seal is good, and the column is not"


def _unsealed(file: bytes, name: str, **claims: object) -> Export:
    """What whoever has no key can still make: a genuine checkpoint, and a manifest that says what they like."""
    claim = json.loads(GENUINE[name].manifest) | {"sha256": single_file.sha(file).hex(), "seal": None} | claims
    return Export(file, json.dumps(claim).encode(), GENUINE[name].proofs)


def _each(name: str, change: Callable[[dict[str, object]], object]) -> bytes:
    made = []
    for line in GENUINE[name].file.splitlines():
        values = json.loads(line)
        change(values)
        made.append(json.dumps(values, ensure_ascii=False).encode() + b"\n")
    return b"".join(made)


FEWER = GENUINE["some"].file.splitlines(keepends=True)
NOTHING: dict[str, object] = {"lines": 0, "first_index": None, "last_index": None}
WITHOUT_SEAL = {
    "an invented pdf": _unsealed(b"%PDF-1.7 he never came in", "none", format="pdf", **NOTHING),
    "an invented header": _unsealed(b'index,leaf,"he never came in"\r\n', "none", **NOTHING),
    "another name": _unsealed(
        _each("whole", lambda values: values.update(person=values.pop("person_salt") and "Otra Persona")), "whole"
    ),
    "a column of nobody": _unsealed(_each("whole", lambda values: values.update(note="robbed")), "whole"),
    "a key twice": _unsealed(GENUINE["whole"].file.replace(b"{", b'{"door": "cd-9", '), "whole"),
    "a key twice in the bare record": _unsealed(GENUINE["bare"].file.replace(b"{", b'{"entry": "e30=", '), "bare"),
    "every line of a part": _unsealed(GENUINE["some"].file, "some"),
    "all but one of a part": _unsealed(b"".join(FEWER[:-1]), "some", lines=len(SOME) - 1, last_index=SOME[-2]),
}
WITHOUT_SEAL["all but one of a part"].proofs = b"".join((GENUINE["some"].proofs or b"").splitlines(keepends=True)[:-1])


@pytest.mark.parametrize("name", WITHOUT_SEAL)
def test_what_no_seal_binds_is_not_verified(name: str, tmp_path: Path) -> None:
    assert same(WITHOUT_SEAL[name].write(tmp_path, "x")) == [True, True]


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    """Most readers take the last value, some the first: a document that can be read in two ways proves nothing."""
    genuine = GENUINE["some"]
    twice = genuine.manifest.replace(b"{", b'{"filter":{"door":"cd-9"},', 1)
    assert same(Export(genuine.file, twice, genuine.proofs).write(tmp_path, "x")) == [True, True]
    for name in ("proof", "extension"):
        (tmp_path / name).write_bytes(SMALL[name].replace(b"{", b'{"proof":[],', 1))
        assert same(tmp_path / name) == [True, True]
    (tmp_path / "value").write_bytes(SMALL["proof"].replace(b'"value"', b'"value":"Otra Persona","value"', 1))
    assert same(tmp_path / "value") == [True, True]


@pytest.mark.parametrize("part", ["c", "salt", "value"])
@pytest.mark.parametrize("value", [None, True, 5, [], {}, ["x"], "", "0" * 64, "\ud800"])
def test_what_a_proof_discloses_may_have_any_shape(part: str, value: object, tmp_path: Path) -> None:
    said = json.loads(SMALL["proof"])
    said["openings"][0][part] = value
    (tmp_path / "x").write_text(json.dumps(said))
    assert same(tmp_path / "x") == [True, True]


def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    genuine = opaque()
    for name, device in (("x", "/dev/zero"), ("y", "/dev/tty")):
        genuine.write(tmp_path, name).unlink()
        (tmp_path / name).symlink_to(device)
        assert same(tmp_path / name) == [True, True]


def test_a_hundred_levels_and_long_lines(tmp_path: Path) -> None:
    deep = b'{"format":' + b"[" * 2000 + b"]" * 2000 + b"}"
    (tmp_path / "deep").write_bytes(deep)
    assert same(tmp_path / "deep") == [True, True]
    long = GENUINE["whole"].file.replace(b"{", b'{"x":"' + b"x" * single_file.MAX_LINE + b'",', 1)
    assert same(Export(long, GENUINE["whole"].manifest).write(tmp_path, "long")) == [True, True]
    (tmp_path / "folder").mkdir()
    for name in ("folder", "nothing", "a\x00b", "n" * 300):
        assert same(tmp_path / name) == [True, True]


def test_the_tree_is_rfc_6962() -> None:
    tree = single_file.Tree()
    for size, leaf in enumerate(LEAVES, start=1):
        tree.add(leaf)
        assert tree.root() == reference.root(LEAVES[:size])
    for old in range(COUNT):
        points = [("x", at, reference.root(LEAVES[:at])) for at in (old, COUNT)]
        proof = reference.proof(old, LEAVES) if old else []
        assert single_file.extends(points[0], points[1], proof)
        assert not single_file.extends(points[0], points[1], [*proof, b"x" * 32])
        assert not single_file.extends(points[1], points[0], proof)


def test_it_needs_python_and_cryptography_alone() -> None:
    tree = ast.parse(SOURCE.read_text("utf-8"))
    wanted = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert wanted - sys.stdlib_module_names == {"cryptography"}
    assert max(map(len, SOURCE.read_text("utf-8").splitlines())) <= 120


def test_it_runs_alone_beside_its_file(tmp_path: Path) -> None:
    path = GENUINE["some"].write(tmp_path, "eventos.jsonl")
    tool = tmp_path / "eventos.jsonl.verify.py"
    tool.write_bytes(SOURCE.read_bytes())
    (tmp_path / "held").write_text(HELD)
    (tmp_path / "key").write_text(SIGNER.verifier.vkey + "\n")

    def start(*arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-I", str(tool), *arguments]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    code, said, wrong = start("--key", str(tmp_path / "key"))
    assert (code, wrong) == (0, "")
    assert re.search(r"eventos.jsonl: verificado / verified: 5 asientos", said)
    assert "compárela con --key" in start()[1]
    code, said, wrong = start("--checkpoint", str(tmp_path / "held"))
    assert (code, said) == (1, "")
    assert "NOT VERIFIED" in wrong
    path.write_bytes(path.read_bytes().replace(b"cd-1", b"cd-2", 1))
    code, said, wrong = start()
    assert (code, said, wrong.count("\n")) == (1, "", 1)
    assert start("--key", "a+b+c")[0] == 2
    assert start("--checkpoint", str(tmp_path / "nothing"))[0] == 2
    assert "Traceback" not in wrong


def test_where_its_answer_cannot_be_written(tmp_path: Path) -> None:
    """A terminal without accents, a Windows file of another code page, a full disk, a reader that has gone."""
    path = GENUINE["some"].write(tmp_path, "Łódź ‹1›.jsonl")
    command = [sys.executable, "-X", "utf8=0", "-I", str(SOURCE), str(path), str(path)]
    poor = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=poor, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr, done.stdout.count(b": verificado / verified: 5 asientos")) == (0, b"", 2)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr.count(b"\n"), b"Traceback" in done.stderr) == (1, 1, False)
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as gone:
        done = subprocess.run(command, stdout=gone, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (done.returncode, done.stderr.count(b"\n"), b"Traceback" in done.stderr) == (1, 1, False)


def test_a_forged_checkpoint(tmp_path: Path) -> None:
    other = sign_checkpoint(Checkpoint(origin=SIGNER.name, size=3, root=b"r" * 32), Signer(SIGNER.name, b"z" * 32))
    (tmp_path / "x").write_text(other)
    assert same(tmp_path / "x") == [True, True]
    assert io.BytesIO(other.encode()).read()
