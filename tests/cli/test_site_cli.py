"""`init`, `site apply`, `devices list|status|plan`: what they leave, what they say, and never a traceback."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from accessctl.bootstrap.keys import KeysWrong
from accessctl.cli import group
from accessctl.cli.site import LARGEST
from accessctl.domain.facts import Fact
from accessctl.services.store import EventFilter
from tests.services.test_site_desk import FILE
from tests.stores import sqlite_store


def run(folder: Path, *arguments: object) -> Result:
    return CliRunner().invoke(group, ["--config", str(folder / "accessctl.toml"), *map(str, arguments)])


def program(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command line as people run it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ACCESSCTL_")}
    command = [sys.executable, "-m", "accessctl", *arguments]
    return subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, check=False)


def test_init_makes_what_is_missing_and_nothing_twice(folder: Path) -> None:
    keys = folder / "var" / "keys"
    before = {file.name: file.read_bytes() for file in keys.iterdir()}
    assert set(before) >= {"record.key", "templates.key", "panel.key"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "accessctl.db").stat().st_mode) == 0o600
    again = run(folder, "init")
    assert "ninguna" in again.output
    assert {file.name: file.read_bytes() for file in keys.iterdir()} == before
    store = sqlite_store(folder / "accessctl.db")
    with store.view() as tx:
        facts = [row.event for row in tx.events.rows(EventFilter(), limit=10)]
    store.close()
    assert facts == [Fact.RECORD_BEGUN.value, Fact.SETTING_CHANGED.value]


def test_two_installations_share_no_secret(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "accessctl.toml").write_text("")
    run(other, "init")
    ours, theirs = ({file.read_bytes() for file in (one / "var" / "keys").iterdir()} for one in (folder, other))
    assert ours.isdisjoint(theirs)
    assert len(ours) >= 3


def test_a_site_is_shown_applied_and_then_the_same(folder: Path) -> None:
    site = folder / "site.toml"
    site.write_text(FILE)
    shown = json.loads(run(folder, "site", "apply", site, "--dry-run", "--json").output)
    assert (shown["applied"], len(shown["changes"])) == (False, 6)
    assert json.loads(run(folder, "devices", "list", "--json").output) == []
    assert "6 cambios" in run(folder, "site", "apply", site).output
    assert "nada cambia" in run(folder, "site", "apply", site).output
    listed = json.loads(run(folder, "devices", "list", "--json").output)
    assert [(row["id"], row["doors"]) for row in listed] == [("cd-panel", ["cd-1"]), ("lobby", ["sub-1"])]
    status = json.loads(run(folder, "devices", "status", "--json").output)
    assert [(row["id"], row["online"], row["users_observed"]) for row in status] == [
        ("cd-panel", False, 0),
        ("lobby", False, 0),
    ]
    assert "fuera de línea" in run(folder, "devices", "status").output
    assert "lobby" in run(folder, "devices", "list").output


def test_a_comm_key_is_found_beside_the_sites_file(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lobby.key").write_text("123456")
    site = elsewhere / "site.toml"
    site.write_text(
        FILE.replace(
            'address = "tcp://127.0.0.1:4370"', 'address = "tcp://127.0.0.1:4370"\ncomm_key_file = "lobby.key"'
        )
    )
    assert run(folder, "site", "apply", site).exit_code == 0
    assert "nada cambia" in run(folder, "site", "apply", site).output
    store = sqlite_store(folder / "accessctl.db")
    with store.view() as tx:
        assert tx.devices.get("lobby").comm_key_file == str((elsewhere / "lobby.key").resolve())
    store.close()


@pytest.mark.parametrize(
    "content", [b"zone = 1", b"[[castle]]\nid='x'", b"= broken", b"\xff\xfe", b"#" * (LARGEST + 1)]
)
def test_a_file_that_is_no_site_is_one_sentence(folder: Path, content: bytes) -> None:
    site = folder / "site.toml"
    site.write_bytes(content)
    done = run(folder, "site", "apply", site)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert len(done.output.splitlines()) == 1


def test_a_terminal_that_is_off_is_a_failure_and_the_reason_is_said(folder: Path) -> None:
    site = folder / "site.toml"
    site.write_text(FILE.replace("4370", "9"))  # nobody listens on the discard port
    run(folder, "site", "apply", site)
    done = run(folder, "devices", "plan", "lobby", "--json")
    assert done.exit_code == 1
    [row] = json.loads(done.output)
    assert row["id"] == "lobby"
    assert row["error"]
    none = run(folder, "devices", "apply", "cd-9")
    assert (none.exit_code, "ningún terminal" in none.output) == (1, True)


def test_a_comm_key_that_others_may_read_is_refused_by_setting_file_and_mode(folder: Path) -> None:
    key = folder / "lobby.key"
    key.write_text("192837465")
    key.chmod(0o640)
    site = folder / "site.toml"
    with_key = 'address = "tcp://127.0.0.1:9"\ncomm_key_file = "lobby.key"'
    site.write_text(FILE.replace('address = "tcp://127.0.0.1:4370"', with_key))
    run(folder, "site", "apply", site)
    done = run(folder, "devices", "plan", "lobby", "--json")
    [row] = json.loads(done.output)
    assert done.exit_code == 1
    for said in ("comm_key_file", str(key), "is open to others", "mode 0640", "wanted 0600"):
        assert said in row["error"]
    assert "192837465" not in done.output
    key.chmod(0o600)
    [row] = json.loads(run(folder, "devices", "plan", "lobby", "--json").output)
    assert "is open to others" not in row["error"]  # now it is the line: nobody listens on the discard port


def test_a_seal_that_others_may_read_is_refused_by_setting(folder: Path) -> None:
    seal = folder / "institution.p12"
    seal.write_bytes((folder / "var" / "keys" / "seal.p12").read_bytes())
    seal.chmod(0o644)
    with (folder / "accessctl.toml").open("a") as config:
        config.write('seal_pkcs12 = "institution.p12"\n')
    done = run(folder, "account", "list")
    assert done.exit_code == 1
    assert isinstance(done.exception, KeysWrong)
    for said in ("seal_pkcs12", str(seal), "is open to others", "0600"):
        assert said in str(done.exception)
    seal.chmod(0o600)
    assert run(folder, "account", "list").exit_code == 0


def test_a_controller_is_shown_as_it_was_read_and_changed_by_the_service_alone(folder: Path) -> None:
    site = folder / "site.toml"
    site.write_text(FILE)
    run(folder, "site", "apply", site)
    shown = run(folder, "devices", "plan", "cd-panel")
    assert (shown.exit_code, "la última vez" in shown.output, "left=0" in shown.output) == (0, True, True)
    away = run(folder, "devices", "apply", "cd-panel")
    assert (away.exit_code, "error=offline" in away.output) == (1, True)


@pytest.mark.parametrize(
    ("prepare", "arguments", "says"),
    [
        ("rm -r var", ("account", "list"), "accessctl init makes the keys"),
        ("rm accessctl.db", ("account", "list"), "accessctl init brings it there"),
        ("chmod 644 var/keys/panel.key record.key var/keys/*.key", ("account", "list"), "open to others"),
        ("printf x > var/keys/templates.key", ("serve",), "is no key"),
        ("printf 'colour = 1' > accessctl.toml", ("serve",), "colour"),
        ("printf 'database = \"mysql://u:secret@h/x\"' > accessctl.toml", ("init",), "sqlite:///FILE or postgresql"),
        ("printf 'database = \"postgresql://u:secret@127.0.0.1:9/x\"' > accessctl.toml", ("init",), "does not answer"),
        ("printf 'database = \"postgresql://u:secret@127.0.0.1:9/x\"' > accessctl.toml", ("panel",), "does not answer"),
    ],
    ids=range(8),
)
def test_an_installation_that_is_not_whole_says_so_in_one_sentence(
    folder: Path, prepare: str, arguments: tuple[str, ...], says: str
) -> None:
    subprocess.run(["sh", "-c", f"{prepare} 2>/dev/null; true"], cwd=folder, check=True)
    done = program(folder, *arguments)
    assert done.returncode != 0
    assert says in done.stderr
    assert "secret" not in done.stdout + done.stderr
    if arguments != ("panel",):  # the web server says it in its own words around ours
        assert len(done.stderr.splitlines()) == 1


def test_a_refusal_is_one_sentence_in_spanish_with_its_norm(folder: Path) -> None:
    done = program(folder, "account", "disable", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "No se encontró lo que se buscaba. (NG.7)\n"


def test_help_has_examples_and_hides_what_people_need_not(folder: Path) -> None:
    assert "accessctl init" in program(folder, "--help").stdout
    assert "--parent" not in program(folder, "panel", "--help").stdout
