"""Fixtures of the command line's tests: an installation, fresh from `init`."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from accessctl.cli import group


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init` makes of an empty file of settings; never changed."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "accessctl.toml").write_text("")
    done = CliRunner().invoke(group, ["--config", str(folder / "accessctl.toml"), "init"])
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def folder(installed: Path, tmp_path: Path) -> Path:
    """A copy of it for this test alone, with the modes that its files have."""
    shutil.copytree(installed, tmp_path / "site")
    return tmp_path / "site"
