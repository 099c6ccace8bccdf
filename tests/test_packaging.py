"""What is installed and what is shipped: pinned, hashed, free of addresses, licensed, and complete in the wheel."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.txt"))
SCRIPTS = [ROOT / name for name in ("script/setup", "script/demo", "script/test", "script/bench", ".ci/run")]
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==[0-9][\w.!+]*(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match[0].lower().replace("_", "-")


def range_of(requirement: str) -> str:
    return re.sub(r"^[A-Za-z0-9._-]+(\[[^\]]*\])?", "", requirement).strip()


def declared() -> dict[str, str]:
    """Every dependency that we name ourselves, with its range."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = (REQUIREMENTS / "build.in").read_text().splitlines()
    build = [line for line in lines if line and not line.startswith("#")]
    named = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"], *build]
    return {name_of(requirement): range_of(requirement) for requirement in named}


def locked(lock: Path) -> set[str]:
    return {match[1] for line in lock.read_text().splitlines() if (match := PINNED.match(line))}


def test_the_requirements_are_there() -> None:
    assert [lock.name for lock in LOCKS] == ["base.txt", "build.txt", "dev.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_requirements_are_pinned_and_hashed_and_name_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    for number, line in enumerate(text.splitlines(), start=1):
        assert PINNED.match(line) or HASH.match(line), f"{lock.name}:{number}: {line}"
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block, block


def test_every_dependency_is_locked() -> None:
    everything = set().union(*(locked(lock) for lock in LOCKS))
    assert declared().keys() <= everything


def test_locks_agree_with_each_other() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([a-z0-9.-]+)==(\S+)", lock.read_text(), flags=re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_every_dependency_has_its_line_in_the_licences() -> None:
    rows = re.findall(r"^\| ([a-z0-9.-]+) \| (\S+) \| ([^|]+) \| ([^|]+) \|$", _licences(), flags=re.MULTILINE)
    listed = {
        name: span for name, span, licence, why in rows if name != "dependency" and licence.strip() and why.strip()
    }
    assert listed == declared()


def _licences() -> str:
    return (ROOT / "docs/licences.md").read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_bench_lists_what_it_can_measure() -> None:
    answer = subprocess.run([str(ROOT / "script/bench")], cwd="/", capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    there = {path.stem for path in (ROOT / "tests/benchmarks").glob("[!_]*.py")}
    assert {line.strip() for line in answer.stderr.splitlines()[1:]} == there


def test_the_wheel_holds_all_of_the_product_and_nothing_else(tmp_path: Path) -> None:
    build = "import sys, hatchling.build; print(hatchling.build.build_wheel(sys.argv[1]))"
    ran = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wheel = zipfile.ZipFile(tmp_path / ran.stdout.split()[-1])
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}

    expected: set[str] = set()
    for folder in ("accessctl", "drivers/accessctl_drivers", "web/accessctl_web"):
        base = (ROOT / folder).parent
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        expected.update(path.relative_to(base).as_posix() for path in files)
    assert names == expected
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())


def test_both_distributions_bear_the_same_version() -> None:
    product = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    simulator = tomllib.loads((ROOT / "hardware-sim/pyproject.toml").read_text())["project"]
    assert product["version"] == simulator["version"]
    assert simulator["dependencies"] == []
