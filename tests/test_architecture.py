"""What import-linter cannot say: who reads the clock, ends a transaction, touches a wire; what the simulator is.

Each rule names the places where a thing may be. The places are also checked to be true, so that a rule whose detector
went blind, or whose place was left, fails instead of passing for ever.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syntax import Source

ROOT = Path(__file__).parent.parent
PRODUCT = ("accessctl", "drivers/accessctl_drivers", "web/accessctl_web")
SIMULATOR = "hardware-sim/accessctl_sim"
OURS = frozenset({"accessctl", "accessctl_drivers", "accessctl_web"})

WALL_CLOCK = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "time.ctime",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
        "sqlalchemy.func.now",
        "sqlalchemy.func.current_timestamp",
    }
)
CHANCE = frozenset({"os.urandom", "uuid.uuid1", "uuid.uuid4"})

# Standard modules that see or touch the world: a value or a decision needs none of them.
WORLD = frozenset(
    {
        "asyncio",
        "atexit",
        "concurrent",
        "contextvars",
        "ctypes",
        "fcntl",
        "getpass",
        "glob",
        "http",
        "io",
        "logging",
        "mmap",
        "multiprocessing",
        "os",
        "pathlib",
        "platform",
        "pty",
        "queue",
        "random",
        "resource",
        "sched",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "syslog",
        "tempfile",
        "termios",
        "threading",
        "time",
        "tty",
        "urllib",
        "warnings",
    }
)

# Where each library of others has its place. A new dependency declares its place here.
EVERYWHERE = ("accessctl", "drivers", "web")
HOMES: dict[str, tuple[str, ...]] = {
    "alembic": ("accessctl/storage",),
    "argon2": ("accessctl/services", "accessctl/bootstrap"),
    "babel": ("web",),
    "click": ("accessctl/cli",),
    "cryptography": (
        "accessctl/record",
        "accessctl/services",
        "accessctl/storage",
        "accessctl/bootstrap",
        "accessctl/documents/sealing.py",
    ),
    "flask": ("web", "accessctl/bootstrap/panel.py"),  # which hands the panel's application to the web server
    "flask_babel": ("web",),
    "flask_login": ("web",),
    "flask_wtf": ("web",),
    "granian": ("accessctl/bootstrap", "accessctl/cli", "drivers/accessctl_drivers/push/front.py"),
    "jinja2": ("web",),
    "markupsafe": ("web",),
    "msgspec": ("accessctl/services/export_lines.py",),
    "orjson": EVERYWHERE,
    "psycopg": ("accessctl/storage",),
    "pydantic": ("accessctl/settings.py",),
    "pydantic_settings": ("accessctl/settings.py",),
    "pyhanko": ("accessctl/documents/sealing.py",),
    "reportlab": ("accessctl/documents",),
    "rich": ("accessctl/cli",),
    "segno": ("accessctl/documents", "web"),
    "serial": ("drivers/accessctl_drivers/links.py",),
    "sqlalchemy": ("accessctl/storage",),
    "structlog": EVERYWHERE,
    "werkzeug": ("web",),
    "wtforms": ("web",),
    "xlsxwriter": ("accessctl/documents",),
    "zk": ("drivers/accessctl_drivers/zkteco",),
}
WIRES = frozenset({"socket", "serial", "select", "selectors", "ssl", "socketserver", "asyncio"})
WIRE_HOMES = (
    "drivers/accessctl_drivers/links.py",
    "drivers/accessctl_drivers/zkteco",
    "drivers/accessctl_drivers/push/front.py",  # the listener's end: what it awaits is the server's stream
    "accessctl/bootstrap/post.py",  # the institution's mail server; no device is at the other end
    "accessctl/bootstrap/supervisor.py",  # asks whether our own listeners answer; no device is at the other end
)
NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"})


def sources(*folders: str) -> Iterator[Source]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source.read(ROOT, path)


def under(path: str, homes: tuple[str, ...]) -> bool:
    """Whether a module lies in one of the places: a folder, a file, or a module by its name (`accessctl/cli`)."""
    return any(path in {home, f"{home}.py"} or path.startswith(f"{home}/") for home in homes)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import time\nx = time.time()", "time.time"),
        ("import time as t\nx = t.time_ns()", "time.time_ns"),
        ("from time import time\nx = time()", "time.time"),
        ("from datetime import datetime\nfield(default_factory=datetime.now)", "datetime.datetime.now"),
        ("import datetime as d\nd.datetime.now(d.UTC)", "datetime.datetime.now"),
        ("def f():\n    from datetime import date as day\n    return day.today()", "datetime.date.today"),
        ("import sqlalchemy as sa\nsa.func.now()", "sqlalchemy.func.now"),
        ("from sqlalchemy import func\nfunc.now()", "sqlalchemy.func.now"),
        ("print('x')", "print"),
    ],
)
def test_the_detector_sees_through_imports(text: str, name: str) -> None:
    assert name in Source.of(text).mentions()


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("with store.begin() as tx:\n    tx.commit()", []),
        ("with store.begin() as tx:\n    if x:\n        tx.commit()\n    else:\n        tx.commit()", []),
        ("def f(tx):\n    tx.commit()", [2]),
        ("with store.begin() as tx:\n    for x in y:\n        tx.commit()", [3]),
        ("with store.begin() as tx:\n    pass\ntx.commit()", [3]),
        ("with store.begin() as tx:\n    self.session.commit()", [2]),
        ("while x:\n    with store.begin() as tx:\n        tx.commit()", []),
    ],
)
def test_the_detector_sees_hidden_commits(text: str, lines: list[int]) -> None:
    assert Source.of(text).hidden_commits() == lines


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = {source.path for source in sources(*PRODUCT) if source.mentions() & WALL_CLOCK}
    assert readers == {"accessctl/clock.py"}


def test_transactions_end_in_services_and_storage_only() -> None:
    homes = ("accessctl/services", "accessctl/storage")
    enders = {source.path for source in sources(*PRODUCT) if any(source.calls_of("commit"))}
    assert enders
    assert {path for path in enders if not under(path, homes)} == set()


def test_a_service_ends_the_transaction_that_it_shows() -> None:
    hidden = {s.path: s.hidden_commits() for s in sources("accessctl/services") if s.hidden_commits()}
    assert hidden == {}


def test_only_the_command_line_prints() -> None:
    printers = {source.path for source in sources(*PRODUCT) if "print" in source.mentions()}
    assert {path for path in printers if not under(path, ("accessctl/cli",))} == set()


def test_the_domain_is_made_of_values() -> None:
    modules = list(sources("accessctl/domain"))
    assert modules
    for source in modules:
        foreign = source.roots() - sys.stdlib_module_names - {"accessctl"}
        assert not foreign, f"{source.path} imports {sorted(foreign)}"
        assert not source.roots() & WORLD, f"{source.path} touches the world: {sorted(source.roots() & WORLD)}"
        assert not source.mentions() & CHANCE, f"{source.path} draws lots: chance and identity are arguments"


def test_every_library_is_used_in_its_place_only() -> None:
    strays = [
        f"{source.path} imports {name}"
        for source in sources(*PRODUCT)
        for name in sorted(source.roots() - sys.stdlib_module_names - OURS)
        if not under(source.path, HOMES.get(name, ()))
    ]
    assert strays == []


def test_only_links_and_the_terminal_child_touch_a_wire() -> None:
    touching = {source.path for source in sources(*PRODUCT) if source.roots() & WIRES}
    assert touching
    assert {path for path in touching if not under(path, WIRE_HOMES)} == set()


def test_only_storage_opens_sqlite() -> None:
    openers = {source.path for source in sources(*PRODUCT) if "sqlite3" in source.roots()}
    assert {path for path in openers if not under(path, ("accessctl/storage",))} == set()


def test_the_simulator_is_standard_library_only() -> None:
    modules = list(sources(SIMULATOR))
    assert modules
    for source in modules:
        foreign = source.roots() - sys.stdlib_module_names - {"accessctl_sim"}
        assert not foreign, f"{source.path} imports {sorted(foreign)}"


def test_the_product_never_names_the_simulator() -> None:
    for source in sources(*PRODUCT):
        assert "accessctl_sim" not in source.roots(), source.path
        strings = (n.value for n in ast.walk(source.tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        assert not any("accessctl_sim" in text for text in strings), source.path


def test_modules_have_names_of_the_field() -> None:
    nameless = [source.path for source in sources(*PRODUCT, SIMULATOR) if Path(source.path).stem in NAMELESS]
    assert nameless == []


def test_every_module_explains_itself() -> None:
    silent = [s.path for s in sources(*PRODUCT, SIMULATOR, "tests", "script") if not ast.get_docstring(s.tree)]
    assert silent == []


LOCAL = frozenset({".git", ".venv", "var", "dist", "node_modules", "__pycache__"})
OURS_WITH_A_DOT = frozenset({".ci", ".editorconfig", ".gitignore"})
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|jsdelivr\.net|unpkg\.com|cdnjs\.|deb\.debian\.org"
    r"|--(?:extra-)?index[-]url|--find[-]links|--trusted[-]host"
)
MACHINE_PATHS = re.compile(r"(?<![\w./>-])/(?:work|root|home/\w+)/")


def texts() -> Iterator[tuple[str, str]]:
    """Every text of ours that goes into the repository, with its path."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if LOCAL & set(parts) or (parts[0].startswith(".") and parts[0] not in OURS_WITH_A_DOT):
            continue
        if not path.is_file() or "vendor" in parts:
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield "/".join(parts), content.decode("utf-8")


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    seen = 0
    for name, text in texts():
        seen += 1
        assert not REGISTRIES.search(text), f"{name}: {REGISTRIES.search(text)}"
        assert not MACHINE_PATHS.search(text), f"{name}: {MACHINE_PATHS.search(text)}"
    assert seen > 100, "the walk lost the project"
