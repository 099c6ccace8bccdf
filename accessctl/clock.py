"""The only place that reads the wall clock and draws identities. Everywhere else time and chance are arguments."""

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new identity: 32 random hex digits."""
    return secrets.token_hex(16)


def entropy(count: int) -> bytes:
    """Random bytes from the system, for salts, nonces and keys."""
    return secrets.token_bytes(count)
