"""The installation's keys: made once, whole or not at all, for their owner alone."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from accessctl.bootstrap.keys import KEY_BYTES, NAMES, KeysWrong, make_keys, read_key


def entropy(count: int) -> bytes:
    return os.urandom(count)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    assert make_keys(tmp_path / "keys", entropy) == list(NAMES)
    return tmp_path / "keys"


def test_keys_are_made_once_each_its_own_and_nothing_is_left_beside_them(keys: Path) -> None:
    made = {name: read_key(keys, name) for name in NAMES}
    assert len(set(made.values())) == len(NAMES)
    assert all(len(key) == KEY_BYTES for key in made.values())
    assert {file.name for file in keys.iterdir()} == set(NAMES)
    assert {stat.S_IMODE((keys / name).stat().st_mode) for name in NAMES} == {0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert make_keys(keys, entropy) == []
    assert {name: read_key(keys, name) for name in NAMES} == made


def test_one_that_is_missing_is_made_and_the_others_stay(keys: Path) -> None:
    before = {name: read_key(keys, name) for name in NAMES}
    (keys / "panel.key").unlink()
    assert make_keys(keys, entropy) == ["panel.key"]
    after = {name: read_key(keys, name) for name in NAMES}
    assert after.pop("panel.key") != before.pop("panel.key")
    assert after == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666])
def test_a_key_that_others_may_read_is_refused(keys: Path, mode: int) -> None:
    (keys / "record.key").chmod(mode)
    with pytest.raises(KeysWrong, match="open to others"):
        read_key(keys, "record.key")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"zz" * 32, b"00" * 31, b"00" * 33, b"\xff" * 64, b"0" * 63, b"00" * 32 + b"!"]
)
def test_what_is_no_key_is_refused_and_never_shown(keys: Path, content: bytes) -> None:
    (keys / "record.key").write_bytes(content)
    with pytest.raises(KeysWrong) as wrong:
        read_key(keys, "record.key")
    assert str(keys / "record.key") in str(wrong.value)
    assert not content.strip() or content.decode("latin-1") not in str(wrong.value)


def test_a_missing_key_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(KeysWrong, match="accessctl init"):
        read_key(tmp_path, "record.key")


def test_a_link_in_the_place_of_a_key_is_not_followed_to_write(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "record.key").symlink_to(tmp_path / "elsewhere")
    assert "record.key" not in make_keys(folder, entropy)
    assert not (tmp_path / "elsewhere").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from accessctl.bootstrap import keys
real, calls = os.fsync, 0
def fsync(handle):
    global calls
    calls += 1
    if calls == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    real(handle)
keys.os.fsync = fsync
keys.make_keys(Path(sys.argv[1]), os.urandom)
"""


def test_killed_in_the_middle_it_leaves_whole_keys_only_and_the_next_start_makes_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    whole = [name for name in NAMES if (folder / name).exists()]
    assert whole == [NAMES[0]]
    first = read_key(folder, NAMES[0])
    assert make_keys(folder, entropy) == list(NAMES[1:])
    assert read_key(folder, NAMES[0]) == first
    assert all(read_key(folder, name) for name in NAMES)
