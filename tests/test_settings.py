"""Settings come from one file and the environment; what is unknown or wrong stops the start, naming the key."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from accessctl.settings import DEFAULT_FILE, Settings, SettingsWrong, load
from accessctl.settings import SECRET as SECRET_SETTINGS

SECRET = "a-password-of-the-database"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACCESSCTL_CONFIG", raising=False)


def written(folder: Path, text: str, name: str = DEFAULT_FILE) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_nothing_at_all_is_an_installation_in_this_folder(tmp_path: Path) -> None:
    settings = load(None)
    assert settings.database == f"sqlite:///{tmp_path / 'accessctl.db'}"
    assert settings.data_dir == tmp_path / "var"
    assert settings.keys_dir == tmp_path / "var" / "keys"
    assert settings.cookie_secure
    assert settings.trusted_proxies == 0
    assert settings.address("panel") == ("127.0.0.1", 8080)


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    config = written(tmp_path / "etc", 'database = "sqlite:///db/a.db"\ndata_dir = "../var"\n')
    settings = load(config)
    assert settings.database == f"sqlite:///{tmp_path / 'etc' / 'db' / 'a.db'}"
    assert settings.data_dir == tmp_path / "var"
    absolute = load(written(tmp_path / "etc", f'database = "sqlite:///{tmp_path}/x.db"\n', "b.toml"))
    assert absolute.database == f"sqlite:///{tmp_path}/x.db"


def test_the_file_here_is_found_and_the_one_of_the_environment_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, 'institution = "A"\n')
    assert load(None).institution == "A"
    monkeypatch.setenv("ACCESSCTL_CONFIG", written(tmp_path / "b", 'institution = "B"\n'))
    assert load(None).institution == "B"
    assert load(written(tmp_path / "c", 'institution = "C"\n')).institution == "C"


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = written(tmp_path, 'panel = "127.0.0.1:1"\nauthorisation_days = 5\n')
    monkeypatch.setenv("ACCESSCTL_PANEL", "[::1]:9443")
    monkeypatch.setenv("ACCESSCTL_AUTHORISATION_DAYS", "7")
    settings = load(config)
    assert settings.address("panel") == ("::1", 9443)
    assert settings.authorisation_days == 7


def test_a_secret_may_stand_in_a_file_of_its_own_and_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "database"
    secret.touch(mode=0o600)
    secret.write_text(f"postgresql://u:{SECRET}@db/x\n")
    monkeypatch.setenv("ACCESSCTL_DATABASE_FILE", str(secret))
    settings = load(None)
    assert settings.database == f"postgresql://u:{SECRET}@db/x"
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    monkeypatch.setenv("ACCESSCTL_DATABASE_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsWrong, match="ACCESSCTL_DATABASE_FILE"):
        load(None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("datbase = 'x'", "datbase"),
        ("panel = 'nowhere'", "panel"),
        ("panel = ':8080'", "panel"),
        ("panel = '127.0.0.1:65536'", "panel"),
        ("panel = '127.0.0.1:٨٠'", "panel"),
        (f"panel = '127.0.0.1:{'9' * 5000}'", "panel"),
        ("panel = 8080", "panel"),
        ("trusted_proxies = 5", "trusted_proxies"),
        ("authorisation_days = 0", "authorisation_days"),
        ("device_deadline_s = 0.1", "device_deadline_s"),
        ("language = 'fr'", "language"),
        ("[panel]\nport = 1", "panel"),
        ("panel = ", DEFAULT_FILE),
        ("a = '\x00'", DEFAULT_FILE),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_named_and_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    config = written(tmp_path, text)
    with pytest.raises(SettingsWrong) as wrong:
        load(config)
    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_wrong_value_is_not_repeated_since_it_may_be_a_secret(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong) as wrong:
        load(written(tmp_path, f"trusted_proxies = '{SECRET}'"))
    assert SECRET not in str(wrong.value)


@pytest.mark.parametrize("name", ["ACCESSCTL_DATABSE", "ACCESSCTL_PASSWORD", "ACCESSCTL_CONFIG_FILE"])
def test_an_unknown_name_in_the_environment_stops_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, SECRET)
    with pytest.raises(SettingsWrong) as wrong:
        load(None)
    assert str(wrong.value) == f"{name}: unknown setting"


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"missing\.toml"):
        load(str(tmp_path / "missing.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsWrong, match=r"bytes\.toml"):
        load(str(tmp_path / "bytes.toml"))


def test_a_secret_setting_is_never_shown_and_no_setting_changes_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, field in Settings.model_fields.items():
        if any(word in key for word in ("password", "secret", "key")):
            assert field.annotation is SecretStr, f"{key} would be shown in a log"
    monkeypatch.setenv("ACCESSCTL_SEAL_PASSWORD", "never shown")
    assert "never shown" not in repr(load(None))
    with pytest.raises(ValueError, match="frozen"):
        load(None).panel = "x:1"


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ({}, ""),
        ({"mail_to": "a@x.example, b@y.example"}, ""),
        ({"mail_server": "mail.example"}, "HOST:PORT"),
        ({"mail_from": ""}, "mail_from"),
        ({"mail_to": ""}, "mail_to"),
        ({"mail_to": "a@x.example\\nBcc: b@y.example"}, "mail_to"),
        ({"mail_to": "a@x.example> x"}, "mail_to"),
        ({"mail_security": "none", "mail_user": "ana"}, "encryption"),
        ({"mail_security": "maybe"}, "mail_security"),
        ({"mail_checkpoint_hours": 0}, "mail_checkpoint_hours"),
    ],
)
def test_a_mail_server_is_set_up_whole(tmp_path: Path, lines: dict[str, object], wrong: str) -> None:
    values = {"mail_server": "mail.example:587", "mail_from": "r@x.example", "mail_to": "a@x.example"} | lines
    text = "".join(
        f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {value}\n" for key, value in values.items()
    )
    config = written(tmp_path, text)
    if wrong:
        with pytest.raises(SettingsWrong, match=wrong):
            load(config)
    else:
        assert load(config).address("mail_server") == ("mail.example", 587)


def test_the_password_of_the_mail_server_comes_from_a_file_and_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text(SECRET)
    monkeypatch.setenv("ACCESSCTL_MAIL_PASSWORD_FILE", str(tmp_path / "secret"))
    settings = load(None)
    assert settings.mail_password.get_secret_value() == SECRET
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
@pytest.mark.parametrize("key", sorted(SECRET_SETTINGS))
def test_a_secrets_file_that_others_may_open_is_refused_by_name_and_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, mode: int
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(mode)
    monkeypatch.setenv(f"ACCESSCTL_{key.upper()}_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsWrong, match="open to others") as refused:
        load(None)
    for said in (f"ACCESSCTL_{key.upper()}_FILE", str(tmp_path / "secret"), f"{mode:04o}", "0600"):
        assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_every_setting_that_is_kept_out_of_sight_is_kept_from_others() -> None:
    hidden = {key for key, field in Settings.model_fields.items() if field.annotation is SecretStr or not field.repr}
    assert hidden == SECRET_SETTINGS


def test_a_file_without_a_secret_may_be_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "name").write_text("Institución\n", encoding="utf-8")
    (tmp_path / "name").chmod(0o644)
    monkeypatch.setenv("ACCESSCTL_INSTITUTION_FILE", str(tmp_path / "name"))
    assert load(None).institution == "Institución"
