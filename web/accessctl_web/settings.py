"""What the panel is told when it is made. It reads no file and no environment: the composition root does."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from accessctl.services.uploads import LARGEST


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelSettings:
    """Everything that differs between two installations of the panel.

    `secret_key` signs sessions and form tokens (32 bytes or more, the same on every process of one installation).
    `exports` is the folder in which exports wait to be fetched; it is made where it is missing.
    `cookie_secure` is false only where the panel is served over plain HTTP, as the demo does on the loopback.
    `trusted_proxies` is how many reverse proxies stand in front and set `X-Forwarded-*`; 0 believes none of them.
    """

    secret_key: bytes = field(repr=False)
    exports: Path
    cookie_secure: bool = True
    language: str = "es"
    institution: str = "Subgerencia de Tecnología"
    session_lasts: timedelta = timedelta(hours=10)  # a working day; then one signs in again
    largest_form: int = 512 * 1024  # any body without a scan: the strokes of a signature are the longest of them
    largest_upload: int = LARGEST + 512 * 1024  # the largest scan that the desks keep, and the form around it
    event_streams: int = 16  # open at once; whoever comes later is served by repeated short answers
    stream_lasts: timedelta = timedelta(seconds=30)
    heartbeat: timedelta = timedelta(seconds=10)
    trusted_proxies: int = 0

    def __post_init__(self) -> None:
        if len(self.secret_key) < 32:
            raise ValueError("the panel's secret key has fewer than 32 bytes")
        if self.language not in {"es", "en"}:
            raise ValueError(f"the panel does not speak {self.language!r}")
