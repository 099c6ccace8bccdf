"""`record …`, `export` and `verify`: exit 0, 1 or 2, one sentence, never a traceback, nothing under a wrong name."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from accessctl.cli import group
from accessctl.cli.verdicts import SENTENCES, broken
from accessctl.record import Checkpoint, Manifest, RecordBroken, Signer, Why, sign_checkpoint
from tests.mail_server import MailBox, serving
from tests.services import auditor
from tests.services.premises import Premises
from tests.stores import sqlite_store

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]
DAY = ("--from", "2026-03-02", "--to", "2026-03-03")


def run_in(folder: Path) -> Run:
    def run(*arguments: object, code: int | None = 0) -> Result:
        done = CliRunner().invoke(group, ["--config", str(folder / "accessctl.toml"), *map(str, arguments)])
        assert code is None or done.exit_code == code, done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done

    return run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init` makes, with a delivered card and an hour at the doors."""
    folder = tmp_path_factory.mktemp("installation")
    (folder / "accessctl.toml").write_text(
        'database = "sqlite:///accessctl.db"\ndata_dir = "var"\norigin = "igss.example/record"\n'
    )
    run_in(folder)("init")
    store = sqlite_store(folder / "accessctl.db")
    premises = Premises(store=store)
    _, person = premises.delivered()
    premises.door_events(60, person=person.id)
    store.close()
    return folder


@pytest.fixture
def installation(made: Path, tmp_path: Path) -> Path:
    """A copy for this test alone."""
    shutil.copytree(made, tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def run(installation: Path) -> Run:
    return run_in(installation)


@pytest.fixture
def key(run: Run) -> str:
    return run("record", "key").output.strip()


def test_a_day_is_exported_and_verified_with_nothing_but_the_files(run: Run, key: str, tmp_path: Path) -> None:
    for fmt in ("csv", "jsonl"):
        out = tmp_path / f"e.{fmt}"
        said = json.loads(run("export", *DAY, "--door", "sub-1", "--format", fmt, "--out", out, "--json").output)
        assert said["lines"] == 31
        assert auditor.wrong(out) == ""
        bare = CliRunner().invoke(group, ["--config", "no-such-file", "verify", str(out), "--key", key])
        assert (bare.exit_code, bare.output.count("\n")) == (0, 1), bare.output
        assert "verificado / verified: 31 asientos" in bare.output
    out = tmp_path / "p.csv"
    run("export", *DAY, "--person", "María José", "--format", "csv", "--out", out, "--public")
    assert "Ñandú" not in out.read_text("utf-8")
    assert "compárela con --key" in run("verify", out).output


def test_a_note_and_a_key_survive_an_editor_and_a_part_says_that_it_is_one(run: Run, key: str, tmp_path: Path) -> None:
    note, file, whole, part = (tmp_path / name for name in ("note", "key", "whole.jsonl", "part.csv"))
    note.write_bytes(b"\xef\xbb\xbf" + run("record", "checkpoint").output.encode().replace(b"\n", b"\r\n"))
    file.write_bytes(b"\xef\xbb\xbf" + key.encode() + b"\r\n")
    run("record", "export", "--out", whole)
    run("export", *DAY, "--door", "sub-1", "--format", "csv", "--out", part)
    for shown in (run("verify", note, "--key", file), run("verify", whole, "--checkpoint", note, "--key", file)):
        assert "verificado" in shown.output
    refused = run("verify", part, "--checkpoint", note, "--key", file, code=1).output
    assert "NO VERIFICADO: una exportación parcial no muestra que el registro solo creció" in refused


FOREIGN = {
    "a day": (*DAY,),
    "everything": (),
    "a door": ("--door", "sub-1"),
    "a person": ("--person", "María José"),
    "nothing": ("--from", "2019-01-01", "--to", "2019-01-02"),
    "the public": ("--public",),
    "the public, a door": ("--door", "cd-1", "--public"),
}


@pytest.mark.parametrize("fmt", ["csv", "jsonl"])
@pytest.mark.parametrize("what", FOREIGN)
def test_a_verifier_that_somebody_else_wrote_accepts_it(
    run: Run, key: str, tmp_path: Path, what: str, fmt: str
) -> None:
    out = tmp_path / f"e.{fmt}"
    made = json.loads(run("export", *FOREIGN[what], "--format", fmt, "--out", out, "--json").output)
    assert auditor.wrong(out, key) == ""
    assert (made["lines"] == 0) == (what == "nothing")
    run("record", "rotate-key")
    assert auditor.wrong(out, key) == "", "for ever, with the old public key"
    again = tmp_path / f"again.{fmt}"
    run("export", *FOREIGN[what], "--format", fmt, "--out", again)
    assert auditor.wrong(again, run("record", "key").output.strip()) == ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_that_verifier_accepts_no_flipped_byte(run: Run, tmp_path: Path, data: st.DataObject) -> None:
    out = tmp_path / "e.jsonl"
    if not out.exists():
        run("export", "--door", "cd-1", "--format", "jsonl", "--out", out)
    for file in (out, Path(f"{out}.proofs")):
        good = file.read_bytes()  # no flip below makes of a hex digit the same one in the other case
        at = data.draw(st.integers(0, len(good) - 1))
        file.write_bytes(good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 31))]) + good[at + 1 :])
        try:
            assert auditor.wrong(out) != ""
        except (ValueError, KeyError, TypeError):
            pass  # it is no JSON any more
        finally:
            file.write_bytes(good)


def test_times_without_an_offset_are_those_of_guatemala(run: Run, tmp_path: Path) -> None:
    times = ("--from", "2026-03-02T08:10", "--to", "2026-03-02T14:20:00+00:00")
    shown = json.loads(run("export", *times, "--format", "jsonl", "--out", tmp_path / "e", "--json").output)
    assert shown["lines"] == 10


def test_the_record_is_signed_exported_kept_and_checked_again(run: Run, key: str, tmp_path: Path) -> None:
    held, whole, proof = tmp_path / "record.checkpoint", tmp_path / "record.jsonl", tmp_path / "one.json"
    run("record", "checkpoint", "--out", held)
    assert json.loads(run("record", "checkpoint", "--json").output)["note"] == held.read_text("utf-8")
    run("record", "export", "--out", whole)
    assert auditor.wrong(whole) == ""
    run("record", "prove", 7, "--out", proof)
    shown = json.loads(run("verify", whole, proof, held, "--key", key, "--json").output)
    assert [row["verified"] for row in shown] == [True, True, True]
    assert "continúa 1 punto" in run("verify", whole, "--checkpoint", held).output
    assert "1 guardados fuera" in run("record", "verify", "--checkpoint", held).output
    assert json.loads(run("record", "verify", "--json").output)["verified"] is True


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify",), 2),
        (("verify", "no-such-file"), 1),
        (("verify", "."), 1),
        (("verify", "a\x1b[2Jb"), 1),
        (("verify", "no-such-file", "--key", "not-a-key"), 2),
        (("verify", "no-such-file", "--checkpoint", "neither"), 1),
        (("record", "prove", "-1", "--out", "x"), 2),
        (("record", "verify", "--checkpoint", "no-such-file"), 2),
        (("record", "export", "--out", "no/such/folder/x"), 1),
        (("record", "prove", "1", "--out", "."), 1),
        (("record", "checkpoint", "--out", "/"), 1),
        (("export", "--format", "csv", "--out", "x", "--from", "yesterday"), 2),
        (("export", "--format", "csv", "--out", "x", "--from", "0001-01-01T00:00:00+23:59"), 2),
        (("export", "--format", "csv", "--out", "x", "--from", "2026-03-03", "--to", "2026-03-03"), 2),
        (("export", "--format", "csv", "--out", "x", "--person", "nadie"), 1),
        (("export", "--format", "pdf2", "--out", "x"), 2),
    ],
)
def test_what_cannot_be_done_is_one_sentence(run: Run, arguments: tuple[str, ...], code: int) -> None:
    said = run(*arguments, code=code).output
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert code == 2 or said.count("\n") == 1, said


def test_a_refusal_of_a_desk_is_one_sentence_too(installation: Path, tmp_path: Path) -> None:
    arguments = ["export", "--format", "csv", "--out", str(tmp_path / "x"), "--door", "' OR '1'='1"]
    command = [sys.executable, "-m", "accessctl", "--config", str(installation / "accessctl.toml"), *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No se encontró" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x").exists()


def test_nothing_is_overwritten(run: Run, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    for arguments in (
        ("record", "export", "--out", taken),
        ("record", "prove", 1, "--out", taken),
        ("record", "checkpoint", "--out", taken),
        ("export", "--format", "csv", "--out", taken),
    ):
        assert "ya existe" in run(*arguments, code=1).output
    assert taken.read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"taken", "site"}


TAMPERING = {
    "edit": (["UPDATE entry SET bytes = CAST(bytes || ' ' AS BLOB) WHERE idx = 40"], 40),
    "delete": (["DELETE FROM entry WHERE idx = 41"], 41),
    "swap": (
        [
            "UPDATE entry SET idx = -1 WHERE idx = 42",
            "UPDATE entry SET idx = 42 WHERE idx = 43",
            "UPDATE entry SET idx = 43 WHERE idx = -1",
        ],
        42,
    ),
    "truncate": (["DELETE FROM entry WHERE idx >= 44"], 44),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_with_the_store_is_named_at_the_first_bad_index(run: Run, installation: Path, how: str) -> None:
    run("record", "checkpoint")
    statements, first = TAMPERING[how]
    engine = create_engine(f"sqlite:///{installation / 'accessctl.db'}")
    with engine.begin() as connection:
        for verb in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER entry_no_{verb}")
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    said = run("record", "verify", code=1).output
    assert "NO VERIFICADO" in said
    assert json.loads(run("record", "verify", "--json", code=1).output)["index"] == first


def test_a_file_in_our_name_by_another_key_is_refused(run: Run, key: str, tmp_path: Path) -> None:
    out = tmp_path / "e.csv"
    run("export", "--format", "csv", "--out", out)
    forger = Signer("igss.example/record", b"f" * 32)
    claim = json.loads((tmp_path / "e.csv.manifest").read_text("utf-8"))
    size, root = (
        claim["lines"],
        auditor._root([bytes.fromhex(row.rsplit(",", 1)[1]) for row in out.read_text("utf-8").splitlines()[1:]]),
    )
    note = sign_checkpoint(Checkpoint(origin=forger.name, size=size, root=root), forger)
    fields = {name: value for name, value in claim.items() if name != "seal"}
    fields |= {"checkpoint": note, "verifier_key": forger.verifier.vkey}
    (tmp_path / "e.csv.manifest").write_bytes(Manifest(**fields).sealed(forger).to_bytes())
    assert "compárela con --key" in run("verify", out).output, "it agrees with itself, and says no more"
    assert "NO VERIFICADO" in run("verify", out, "--key", key, code=1).output
    (tmp_path / "e.csv.manifest").write_bytes(Manifest(**fields).to_bytes())
    assert "no llevan sello" in run("verify", out, code=1).output, "columns of a CSV that nothing binds"


def test_every_way_to_be_wrong_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Why)
    assert "entre los asientos 3 y 9" in broken(RecordBroken(Why.WRONG_ROOT, "x", index=3, until=9))
    assert ", asiento 3 " in broken(RecordBroken(Why.ENTRY_CHANGED, "x", index=3, until=3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
)
def test_any_bytes_end_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    done = CliRunner().invoke(group, ["verify", str(path)])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert done.output.count("\n") == 1
    assert "verificado /" not in done.output


def test_reports_are_shown_and_taken_away(run: Run, tmp_path: Path) -> None:
    rows = json.loads(run("report", "refusals", "--json").output)
    assert [(row["reason"], row["door"], row["count"]) for row in rows] == [("outside_schedule", "cd-1", 6)]
    assert "outside_schedule" in run("report", "refusals", *DAY).output
    for fmt in ("csv", "pdf"):
        run("report", "entries", "--format", fmt, "--out", tmp_path / f"r.{fmt}")
    assert "Ñandú" in (tmp_path / "r.csv").read_text("utf-8")
    run("report", "entries", "--format", "csv", code=2)
    run("report", "entries", "--format", "csv", "--out", tmp_path / "r.csv", code=1)
    assert [row["what"] for row in json.loads(run("report", "looked_at", "--json").output)][:2] == ["entries"] * 2


def test_the_register_is_printed_and_compared(run: Run, tmp_path: Path) -> None:
    paper, sheet = tmp_path / "r.pdf", tmp_path / "r.csv"
    said = run("register", "print", "--day", "2026-03-02", "--out", paper).output
    (one,) = json.loads(run("register", "list", "--json").output)
    assert said.strip().endswith(f"impresión {one['number']}")
    assert paper.read_bytes().startswith(b"%PDF")
    run("register", "lines", one["number"], "--out", sheet)
    assert json.loads(run("register", "compare", one["number"], "--json").output)["differences"] == []
    assert "0 de 0 líneas iguales, 0 diferencias" in run("register", "compare", one["number"], "--paper", sheet).output
    sheet.write_text("folio,name\nC-000009,Nadie\n")
    assert "not_in_record: C-000009; Nadie" in run("register", "compare", one["number"], "--paper", sheet).output
    run("register", "print", "--day", "ayer", "--out", paper, code=2)
    run("register", "print", "--day", "2026-03-02", "--out", paper, code=1)
    run("register", "compare", one["number"], "--paper", tmp_path / "none.csv", code=1)


def test_a_mailed_checkpoint_is_verified_as_it_was_saved(
    run: Run, installation: Path, key: str, tmp_path: Path
) -> None:
    assert "mail_server" in run("record", "mail", code=1).output
    config, box, whole = installation / "accessctl.toml", MailBox(), tmp_path / "record.jsonl"
    with serving(box) as server:
        said = config.read_text()
        to = 'mail_to = "auditoria@igss.example, otra@igss.example"\nmail_from = "registro@igss.example"\n'
        config.write_text(f'{said}mail_server = "127.0.0.1:{server.port}"\nmail_security = "none"\n{to}')
        assert json.loads(run("record", "mail", "--json").output)["recipients"] == 2
        assert "enviado" in run("record", "mail").output
    assert "el correo no se envió" in run("record", "mail", code=1).output
    assert json.loads(run("health", "--json", code=None).output)["unmailed"] is False
    mails = []
    for number, letter in enumerate(box.letters):
        mails.append(tmp_path / f"{number}.eml")
        mails[-1].write_bytes(letter)
    run("record", "export", "--out", whole)
    shown = json.loads(run("verify", *mails, "--key", key, "--json").output)
    assert [row["verified"] for row in shown] == [True, True]
    assert (
        "continúa 2 punto"
        in run("verify", whole, "--key", key, "--checkpoint", mails[0], "--checkpoint", mails[1]).output
    )
    assert "2 guardados fuera" in run("record", "verify", "--checkpoint", mails[0], "--checkpoint", mails[1]).output
    state = tmp_path / "w"
    run("witness", "init", "--state", state, "--name", "testigo", "--key", key)
    assert run("witness", "sign", *mails, "--state", state, "--out", tmp_path / "signed").output.count("firmado") == 2
    assert "testigo" in (tmp_path / "signed").read_text("utf-8")
    other = Signer("igss.example/record", bytes(range(32))).verifier.vkey
    run("verify", mails[0], "--key", other, code=1)


def test_an_answer_that_finds_no_space_is_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from accessctl.cli import main; main()", "verify", "--json", str(tmp_path / "x")]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=120)
    assert (done.returncode, done.stderr.count(b"\n"), b"no queda espacio" in done.stderr) == (1, 1, True)
