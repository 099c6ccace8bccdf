"""`backup`, `restore` and `health` as a person runs them: on a real database in a folder of its own."""

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from accessctl.cli import group


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    config = tmp_path / "accessctl.toml"
    config.write_text('database = "sqlite:///accessctl.db"\ndata_dir = "data"\n', encoding="utf-8")
    assert run(config, "init").exit_code == 0
    return config


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(group, ["--config", str(config), *arguments])


def test_what_was_backed_up_comes_back_and_verifies(installation: Path, tmp_path: Path) -> None:
    made = run(installation, "backup", "--to", str(tmp_path / "copies"), "--json")
    assert made.exit_code == 0, made.output
    copy = Path(json.loads(made.output)["folder"])
    assert copy.stat().st_mode & 0o077 == 0
    assert (copy / "accessctl.db").stat().st_mode & 0o077 == 0
    assert not list(copy.glob("*.key"))

    assert "no la toca" in run(installation, "restore", str(copy)).output
    for file in tmp_path.glob("accessctl.db*"):
        file.unlink()
    restored = run(installation, "restore", str(copy))
    assert restored.exit_code == 0, restored.output
    assert "verificada" in restored.output


def test_a_copy_that_was_touched_is_not_put_back(installation: Path, tmp_path: Path) -> None:
    made = run(installation, "backup", "--to", str(tmp_path / "copies"), "--json")
    copy = Path(json.loads(made.output)["folder"])
    with (copy / "accessctl.db").open("r+b") as raw:
        raw.seek(5000)
        raw.write(b"\xff")
    for file in tmp_path.glob("accessctl.db*"):
        file.unlink()
    refused = run(installation, "restore", str(copy))
    assert refused.exit_code == 1
    assert "no es una copia sana" in refused.output
    assert not (tmp_path / "accessctl.db").exists()


def test_a_record_that_was_rewritten_in_the_copy_is_found(installation: Path, tmp_path: Path) -> None:
    made = run(installation, "backup", "--to", str(tmp_path / "copies"), "--json")
    copy = Path(json.loads(made.output)["folder"])
    with sqlite3.connect(copy / "accessctl.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE entry SET bytes = X'7B7D' WHERE idx = 0")
    database.close()
    manifest = json.loads((copy / "backup.json").read_text())
    manifest["sha256"] = hashlib.sha256((copy / "accessctl.db").read_bytes()).hexdigest()
    (copy / "backup.json").write_text(json.dumps(manifest))
    for file in tmp_path.glob("accessctl.db*"):
        file.unlink()
    refused = run(installation, "restore", str(copy))
    assert refused.exit_code == 1
    assert "no se verifica" in refused.output


def test_health_says_what_is_there(installation: Path) -> None:
    found = run(installation, "health", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.output)["entries"] >= 1
