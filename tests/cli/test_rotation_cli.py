"""Keys of the record: rotated, lost, wrong (fault 29), and the witness's commands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from accessctl.bootstrap import build, rotation
from accessctl.bootstrap.keys import NEXT, OLDER, RECORD, KeysWrong, older_keys
from accessctl.cli import group
from accessctl.record import Verifier, open_note
from accessctl.services.record_keeper import RecordKeeper
from accessctl.settings import Settings, load

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "accessctl.toml").write_text(
        'database = "sqlite:///accessctl.db"\ndata_dir = "var"\norigin = "igss.example/record"\n'
    )
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    def run(*arguments: object, code: int = 0) -> Result:
        done = CliRunner().invoke(group, ["--config", str(home / "accessctl.toml"), *map(str, arguments)])
        assert done.exit_code == code, (done.output, done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done

    run("init")
    return run


def test_old_exports_verify_for_ever_and_the_new_key_signs(run: Run, home: Path) -> None:
    old = run("record", "key").output.strip()
    run("record", "export", "--out", home / "old.jsonl")
    run("record", "checkpoint", "--out", home / "old.checkpoint")
    new = json.loads(run("record", "rotate-key", "--json").output)
    assert new["before"] == old
    assert new["verifier_key"] == run("record", "key").output.strip() != old
    both = [Verifier.parse(old), Verifier.parse(new["verifier_key"])]
    assert set(open_note(new["note"], both).signed_by) == set(both), "the hand-over is signed by both"
    run("record", "export", "--out", home / "new.jsonl")
    run("verify", home / "old.jsonl", "--key", old)
    run("verify", home / "new.jsonl", "--key", new["verifier_key"])
    run("verify", home / "new.jsonl", "--key", old, code=1)
    run("verify", home / "old.jsonl", "--key", new["verifier_key"], code=1)
    run("record", "verify", "--checkpoint", home / "old.checkpoint")
    run("record", "extend", "--from", home / "old.checkpoint", "--out", home / "grown.json")
    run("verify", home / "grown.json", "--key", old, "--key", new["verifier_key"])
    entry = json.loads((home / "new.jsonl").read_text("utf-8").splitlines()[-2])
    assert "index" in entry
    keys = home / "var" / "keys"
    assert (keys / OLDER).read_text("utf-8").split() == [old]
    assert not (keys / NEXT).exists()
    third = json.loads(run("record", "rotate-key", "--json").output)
    assert [one.vkey for one in older_keys(keys)] == [new["verifier_key"], old]
    assert third["before"] == new["verifier_key"]
    run("record", "verify")


def test_a_process_that_runs_meanwhile_takes_the_new_key(run: Run, home: Path) -> None:
    running = build(load(str(home / "accessctl.toml")))
    running.record_keeper.checkpoint()
    new = json.loads(run("record", "rotate-key", "--json").output)["verifier_key"]
    note = running.record_keeper.checkpoint()
    assert open_note(note, [Verifier.parse(new)]).signed_by
    assert running.record_keeper.verifier_key == new
    running.store.close()


@pytest.mark.parametrize("step", ["fact", "note", "files", "rename"])
def test_an_interrupted_rotation_signs_nothing_and_is_ended(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    old = run("record", "key").output.strip()

    def die(*arguments: object, **named: object) -> None:
        raise KeysWrong("killed here")

    with monkeypatch.context() as patch:
        if step == "fact":
            patch.setattr(RecordKeeper, "_record_rotation", die)
        elif step == "note":
            patch.setattr(RecordKeeper, "_sign", die)
        elif step == "files":
            patch.setattr(rotation, "adopt_next", die)
        else:
            replace = Path.replace
            patch.setattr(Path, "replace", lambda one, to: die() if to.name == RECORD else replace(one, to))
        with pytest.raises(KeysWrong):
            rotation.rotate_record_key(rotation_settings(home), lost=False)
    if step in {"files", "rename"}:
        run("record", "checkpoint", code=1)
    new = json.loads(run("record", "rotate-key", "--json").output)
    assert new["before"] == old
    assert (home / "var" / "keys" / OLDER).read_text("utf-8").split() == [old]
    run("record", "checkpoint")
    run("record", "verify")
    run("record", "export", "--out", home / "all.jsonl")
    said = (home / "all.jsonl").read_text("utf-8")
    assert said.count("\n") == json.loads((home / "all.jsonl.manifest").read_text("utf-8"))["lines"]
    run("verify", home / "all.jsonl", "--key", new["verifier_key"])


def rotation_settings(home: Path) -> Settings:
    return load(str(home / "accessctl.toml"))


def test_a_lost_key_is_never_silently_replaced(run: Run, home: Path) -> None:
    old = run("record", "key").output.strip()
    run("record", "checkpoint", "--out", home / "old.checkpoint")
    key = home / "var" / "keys" / RECORD
    key.unlink()
    with pytest.raises(KeysWrong):
        rotation.record_keys(rotation_settings(home))
    run("init")  # makes another one in its place
    assert "ninguna clave en la que se confíe" in run("record", "checkpoint", code=1).output
    run("record", "export", "--out", home / "x.jsonl", code=1)
    run("export", "--format", "csv", "--out", home / "x.csv", code=1)
    assert not list(home.glob("x.*"))
    new = json.loads(run("record", "rotate-key", "--lost", "--json").output)
    assert new["before"] == old
    run("record", "verify", "--checkpoint", home / "old.checkpoint")
    run("record", "export", "--out", home / "y.jsonl")
    run("verify", home / "y.jsonl", "--key", new["verifier_key"])


def test_a_key_of_somewhere_else_signs_nothing(run: Run, home: Path) -> None:
    run("record", "checkpoint")
    key = home / "var" / "keys" / RECORD
    mine = key.read_text()
    key.write_text("ab" * 32 + "\n")
    run("record", "checkpoint", code=1)
    run("record", "rotate-key", code=1)
    key.write_text(mine)
    run("record", "checkpoint")
    key.chmod(0o640)
    with pytest.raises(KeysWrong, match="open to others"):
        rotation.record_keys(rotation_settings(home))


def test_the_witness_on_another_machine(run: Run, home: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = tmp_path_factory.mktemp("away")
    key = run("record", "key").output.strip()
    witness = run("witness", "init", "--state", away / "w", "--name", "contraloria", "--key", key).output.strip()
    assert run("witness", "key", "--state", away / "w").output.strip() == witness
    run("record", "checkpoint", "--out", away / "1.checkpoint")
    run("witness", "sign", away / "1.checkpoint", "--state", away / "w", "--out", away / "1.signed")
    run("verify", away / "1.signed", "--key", key, "--key", witness)
    new = json.loads(run("record", "rotate-key", "--json").output)
    (away / "2.checkpoint").write_text(new["note"])
    run("record", "extend", "--from", away / "1.signed", "--out", away / "2.extension")
    run("witness", "sign", away / "2.extension", "--state", away / "w", "--out", away / "2.signed")
    run("record", "prove", 0, "--out", away / "entry.json")
    run("record", "extend", "--from", away / "2.signed", "--out", away / "3.extension")
    signed = away / "3.signed"
    refused = run("witness", "sign", away / "3.extension", "--state", away / "w", "--out", signed, code=1)
    assert refused.output.count("\n") == 1, "signed by the new key alone, which the witness was not told of"
    assert not signed.exists()
    run("witness", "trust", new["verifier_key"], "--state", away / "w")
    shown = run("witness", "sign", away / "3.extension", "--state", away / "w", "--json").output
    assert json.loads(shown)["size"] > 1
    assert run("witness", "sign", away / "1.checkpoint", "--state", away / "w", code=1).output.count("\n") == 1
    run("witness", "init", "--state", away / "w", "--name", "x", "--key", key, code=1)
    run("witness", "init", "--state", away / "v", "--name", "x y", "--key", key, code=2)
    run("witness", "init", "--state", away / "v", "--name", "x", "--key", "no", code=2)
    run("witness", "sign", away / "none", "--state", away / "w", code=1)
    run("witness", "key", "--state", away / "none", code=1)
