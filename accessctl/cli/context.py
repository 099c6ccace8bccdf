"""What commands are given: the settings and the service, made when first asked for (`verify` needs neither)."""

from functools import cached_property

from accessctl.bootstrap import Service, build
from accessctl.settings import Settings, load


class Context:
    """One run of the command line."""

    def __init__(self, *, config: str | None) -> None:
        self.config = config

    @cached_property
    def settings(self) -> Settings:
        """Raises `SettingsWrong`."""
        return load(self.config)

    @cached_property
    def service(self) -> Service:
        """Raises `KeysWrong` where `accessctl init` was not run."""
        return build(self.settings)
