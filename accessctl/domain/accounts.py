"""Accounts of the panel: what lets a person with roles sign in, and ends when it is disabled."""

from dataclasses import dataclass
from datetime import datetime

from accessctl.domain.people import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`epoch` is part of every session: raising it ends them all (disabled, password changed)."""

    id: str
    username: str
    person: str
    roles: tuple[Role, ...]
    password_hash: str
    epoch: int
    added_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInTry:
    """A failed sign-in, kept as long as the throttle needs it. `source` is the address it came from."""

    id: str
    username: str
    source: str
    at: datetime
