"""`account …`: the first account of an installation, all or nothing, and never a password where none was asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from accessctl.cli import group
from accessctl.domain.errors import AccessError, Reason
from accessctl.domain.facts import Fact
from accessctl.services.store import EventFilter
from tests.stores import sqlite_store

Run = Callable[..., Result]
PASSWORD = "una frase larga y propia"
ANA = ("account", "add", "ana.lopez", "--role", "recepcion", "--name", "Ana López", "--dpi", "2000000040101")


@pytest.fixture
def run(folder: Path) -> Run:
    def run(*arguments: object, typed: str = PASSWORD + "\n") -> Result:
        words = ["--config", str(folder / "accessctl.toml"), *map(str, arguments)]
        return CliRunner().invoke(group, words, input=typed)

    return run


def facts(folder: Path) -> list[str]:
    store = sqlite_store(folder / "accessctl.db")
    with store.view() as tx:
        rows = tx.events.rows(EventFilter(), limit=100)
    store.close()
    return [row.event for row in rows if row.event.startswith(("person:", "account:", "case:"))]


def reason(result: Result) -> Reason:
    """What was refused: `main` says it in one sentence, here it is still the error itself."""
    assert isinstance(result.exception, AccessError), result.output
    return result.exception.reason


def test_the_first_account_registers_its_person_and_shows_no_password(run: Run, folder: Path) -> None:
    done = run(*ANA)
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    assert facts(folder) == [Fact.PERSON_REGISTERED.value, Fact.ACCOUNT_ADDED.value]
    listed = json.loads(run("account", "list", "--json").output)
    assert [(row["username"], row["roles"], row["disabled_at"]) for row in listed] == [
        ("ana.lopez", ["recepcion"], None)
    ]


def test_a_made_password_is_shown_once_and_fits(run: Run, folder: Path) -> None:
    shown = json.loads(run(*ANA, "--generate", "--json").output)
    assert len(shown["password"]) >= 12
    assert shown["password"].encode() not in (folder / "accessctl.db").read_bytes()


def test_a_refused_account_leaves_nobody_behind(run: Run, folder: Path) -> None:
    assert run(*ANA).exit_code == 0
    other = ("--name", "Otra", "--passport", "AB1")
    taken = run("account", "add", "ANA.lopez", "--role", "jefe", *other)
    assert reason(taken) is Reason.ALREADY_EXISTS
    assert reason(run("account", "add", "otra", "--role", "jefe", *other, typed="short\n")) is Reason.PASSWORD_WEAK
    assert reason(run("account", "add", "o", "--role", "jefe", *other)) is Reason.TEXT_INVALID
    wrong = ("--name", "Otra", "--dpi", "2000000050101")
    assert reason(run("account", "add", "otra", "--role", "jefe", *wrong)) is Reason.DOCUMENT_INVALID
    assert facts(folder).count(Fact.PERSON_REGISTERED.value) == 1
    assert facts(folder).count(Fact.CASE_STEP_REFUSED.value) == 2  # the ones that a desk's transaction refused


def test_a_dpi_on_file_is_the_person_on_file(run: Run, folder: Path) -> None:
    first = json.loads(run(*ANA, "--json").output)
    second = json.loads(
        run(
            *("account", "add", "ana.jefa", "--role", "jefe", "--name", "A. López", "--dpi", "2000 00004 0101"),
            "--json",
        ).output
    )
    assert second["person"] == first["person"]
    assert facts(folder).count(Fact.PERSON_REGISTERED.value) == 1


def test_a_person_is_named_by_number_or_document_never_by_a_piece_of_a_name(run: Run) -> None:
    first = json.loads(run(*ANA, "--json").output)
    for number, wanted in enumerate(("1001", "2000-00004-0101")):
        done = run("account", "add", f"ana{number}", "--role", "jefe", "--person", wanted, "--json")
        assert json.loads(done.output)["person"] == first["person"]
    for wanted in ("Ana", "ana lópez", "", "%", "' OR '1'='1"):
        done = run("account", "add", "nobody", "--role", "jefe", "--person", wanted)
        assert done.exit_code == 1
        assert "no designa a una persona" in done.output


def test_a_password_comes_from_a_file_or_not_at_all(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\xff\xfe\x00")
    done = run(*ANA, "--password-file", secret)
    assert done.exit_code == 1
    assert "UTF-8" in done.output
    secret.write_text(PASSWORD + "\r\n")
    assert run(*ANA, "--password-file", secret).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("ana",),
        ("ana", "--role", "usuario", "--name", "x", "--dpi", "1"),
        ("ana", "--role", "jefe"),
        ("ana", "--role", "jefe", "--name", "x"),
        ("ana", "--role", "jefe", "--name", "x", "--dpi", "1", "--passport", "2"),
    ],
)
def test_wrong_usage_is_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("account", "add", *arguments).exit_code == 2


def test_an_account_is_ended(run: Run, folder: Path) -> None:
    run(*ANA)
    assert run("account", "disable", "Ana.Lopez", "--reason", "Renuncia").exit_code == 0
    assert json.loads(run("account", "list", "--json").output)[0]["disabled_at"]
    assert "de baja" in run("account", "list").output
    assert reason(run("account", "disable", "nobody")) is Reason.NOT_FOUND
    assert facts(folder).count(Fact.ACCOUNT_DISABLED.value) == 1
