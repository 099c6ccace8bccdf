"""What an installation decides: `accessctl.toml`, `ACCESSCTL_*`, and nothing else. An unknown key stops the start.

Paths in the file are relative to the file. Keys and passwords are not settings: they are files of mode 0600 under
`data_dir/keys`, made by `accessctl init`. The password in a database address may stand in a file of its own, named by
`ACCESSCTL_DATABASE_FILE`.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from accessctl.domain.alarms import INFRAESTRUCTURA
from accessctl.secret_files import OpenToOthers, read_secret

DEFAULT_FILE = "accessctl.toml"
SECRET = frozenset({"database", "mail_password", "seal_password"})  # an address may hold a password
_MAILBOX = re.compile(r"[^\s@<>(),;:\\\"\[\]]{1,64}@[A-Za-z0-9.-]{1,190}")
Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsWrong(Exception):
    """The settings cannot be used; the message says which key and why."""


class Settings(BaseSettings):
    """One installation. Terms that the manual leaves open carry their source here and in `docs/settings.md`."""

    model_config = SettingsConfigDict(env_prefix="ACCESSCTL_", extra="forbid", frozen=True)

    database: str = Field(default="sqlite:///accessctl.db", repr=False)  # may hold a password
    data_dir: Path = Path("var")
    panel: str = "127.0.0.1:8080"
    ingress: str = "127.0.0.1:8081"
    origin: str = "accessctl.local/record"  # the record's name in its checkpoints (C2SP tlog-checkpoint "origin")
    town: str = "Guatemala"  # whose fair day is a holiday
    institution: str = "Subgerencia de Tecnología"
    language: Literal["es", "en"] = "es"
    cookie_secure: bool = True
    trusted_proxies: int = Field(default=0, ge=0, le=4)
    authorisation_days: int = Field(default=30, ge=1, le=365)  # an authorisation not carried out lapses (N10.3)
    escort_pairing_s: float = Field(
        default=20, ge=1, le=120
    )  # between the escort's credential and the visitor's (N4.3)
    visitors_per_escort: int = Field(default=5, ge=1, le=50)
    visit_hours: int = Field(default=24, ge=1, le=24)  # the longest that one visit may be authorised for (P4.01)
    visit_grace_minutes: int = Field(default=15, ge=0, le=240)  # after a visit's window, before the alarm
    visit_unverified_hours: int = Field(default=24, ge=1, le=720)  # after its window it ends as "no verificada" (P4.07)
    access_alarm_area: str = Field(default=INFRAESTRUCTURA, min_length=1, max_length=200)  # N3.5 names none
    access_alarm_responsible: Literal["tecnico_infra", "tecnico_telecom", "analista_calidad", "guardia"] = (
        "tecnico_infra"  # P10.03, N4.4
    )
    alarm_take_minutes: int = Field(default=30, ge=1, le=1440)  # not taken for so long, an alarm is flagged (N3.1)
    alarm_take_critical_minutes: int = Field(default=5, ge=1, le=1440)
    checkpoint_entries: int = Field(default=1000, ge=1, le=1_000_000)  # a checkpoint after so many entries, or
    checkpoint_s: float = Field(default=300.0, ge=1, le=86_400)  # after so many seconds, whichever is first
    witness_dir: Path | None = None  # where checkpoints are left for a witness on another machine to fetch
    mail_server: str = ""  # HOST:PORT, to which checkpoints are mailed; nothing goes out without it
    mail_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_ca: Path | None = None  # certificates to trust in place of the machine's, PEM
    mail_user: str = Field(default="", max_length=200)
    mail_password: SecretStr = SecretStr("")  # better in the file that ACCESSCTL_MAIL_PASSWORD_FILE names
    mail_from: str = ""
    mail_to: str = ""  # one address, or several with commas between them
    mail_checkpoint_hours: float = Field(default=24.0, ge=0.1, le=720)  # a checkpoint is mailed after so many hours, or
    mail_checkpoint_entries: int = Field(default=1_000_000, ge=1)  # after so many entries, whichever is first
    seal_pkcs12: Path | None = None  # the institution's own certificate for sealing PDFs, in place of the one of `init`
    seal_password: SecretStr = SecretStr("")  # better in the file that ACCESSCTL_SEAL_PASSWORD_FILE names
    time_stamp_authority: str = Field(default="", pattern=r"^(https?://\S+)?$")  # RFC 3161; nothing goes out without it
    keep_people_days: int = Field(default=1825, ge=90, le=36_500)  # after the last entry about them
    keep_visitors_days: int = Field(default=365, ge=90, le=36_500)  # PCI DSS 9.3.4: visitor logs three months at least
    device_deadline_s: float = Field(default=10.0, ge=0.5, le=120)  # a device that answers nothing for so long is off

    @field_validator("panel", "ingress")
    @classmethod
    def _is_address(cls, text: str) -> str:
        host, colon, port = text.rpartition(":")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError("must be HOST:PORT")
        return text

    @model_validator(mode="after")
    def _has_a_post(self) -> Self:
        if not self.mail_server:
            return self
        self._is_address(self.mail_server)
        if not self.mail_recipients or not all(map(_MAILBOX.fullmatch, (self.mail_from, *self.mail_recipients))):
            raise ValueError("mail_server needs mail_from and mail_to, each like name@example.org")
        if self.mail_security == "none" and self.mail_user:
            raise ValueError("mail_user is never sent without encryption: set mail_security")
        return self

    @property
    def mail_recipients(self) -> tuple[str, ...]:
        """The addresses of `mail_to`."""
        return tuple(one for part in self.mail_to.split(",") if (one := part.strip()))

    def address(self, which: str) -> tuple[str, int]:
        """Host and port of `panel`, `ingress` or `mail_server`."""
        text = str(getattr(self, which))
        host, _, port = text.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def keys_dir(self) -> Path:
        """Where the installation's keys lie."""
        return self.data_dir / "keys"


def load(config: str | None) -> Settings:
    """The settings from `config` (or `ACCESSCTL_CONFIG`, or `accessctl.toml` here if there is one) and environment.

    Raises `SettingsWrong`.
    """
    chosen = config or os.environ.get("ACCESSCTL_CONFIG")
    file = Path(chosen) if chosen else Path(DEFAULT_FILE)
    values: dict[str, object] = {}
    if chosen or file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsWrong(f"{file}: {error}") from None
    _refuse_unknown_environment()
    for key in Settings.model_fields:
        from_environment = _environment(key)
        if from_environment is not None:
            values[key] = from_environment
    here = file.resolve().parent if chosen or file.exists() else Path.cwd()
    try:
        return _anchored(Settings.model_validate(values), here)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsWrong(f"{file if values else 'settings'}: {key}: {first['msg']}") from None


def _environment(key: str) -> str | None:
    name = f"ACCESSCTL_{key.upper()}"
    if name in os.environ:
        return os.environ[name]
    if f"{name}_FILE" in os.environ:
        try:
            return _held(Path(os.environ[f"{name}_FILE"]), named_by=f"{name}_FILE", secret=key in SECRET)
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsWrong(f"{name}_FILE: {error}") from None
    return None


def _held(file: Path, *, named_by: str, secret: bool) -> str:
    """The value of a setting that stands in a file of its own. Raises `SettingsWrong`, `OSError`."""
    if not secret:
        return file.read_text(encoding="utf-8").strip()
    try:
        return read_secret(file, named_by=named_by).decode("utf-8").strip()
    except OpenToOthers as found:
        raise SettingsWrong(str(found)) from None


def _refuse_unknown_environment() -> None:
    known = {f"ACCESSCTL_{key.upper()}{suffix}" for key in Settings.model_fields for suffix in ("", "_FILE")}
    for name in os.environ:
        if name.startswith("ACCESSCTL_") and name not in known | {"ACCESSCTL_CONFIG"}:
            raise SettingsWrong(f"{name}: unknown setting")


def _anchored(settings: Settings, here: Path) -> Settings:
    """Relative paths are relative to the file that named them."""
    changes: dict[str, object] = {"data_dir": (here / settings.data_dir).resolve()}
    if settings.witness_dir is not None:
        changes["witness_dir"] = (here / settings.witness_dir).resolve()
    if settings.mail_ca is not None:
        changes["mail_ca"] = (here / settings.mail_ca).resolve()
    if settings.seal_pkcs12 is not None:
        changes["seal_pkcs12"] = (here / settings.seal_pkcs12).resolve()
    prefix = "sqlite:///"
    if settings.database.startswith(prefix):
        file = (here / settings.database.removeprefix(prefix)).resolve()
        changes["database"] = f"{prefix}{file}"
    return settings.model_copy(update=changes)
