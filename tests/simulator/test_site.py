"""A building from a file: devices, people, the script, and files that describe no building."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from accessctl_sim.deskreader.rdm6300 import frame
from accessctl_sim.push.tables import parse_row
from accessctl_sim.site.building import Building
from accessctl_sim.site.plan import BadSite, read_plan

from .clients import pyzk, until
from .pushserver import PushServer, listening

SITE = """
[site]
name = "Prueba"
script = "on-demand"
[[device]]
id = "lobby"
kind = "zk-terminal"
door = "sub-1"
finger = "manual"
sample_ms = 1
frame_gap_ms = 0
[[device]]
id = "mesa"
kind = "desk-reader"
link = "run/mesa"
[[person]]
id = "ana"
name = "Ana Xol"
card = "0F0184F07A"
number = "1001"
on = ["lobby"]
[[person]]
id = "beto"
card = "0801161dd6"
[[step]]
at = 0
line = "walk ana lobby"
[[step]]
after = 1
line = "lobby present card @beto"
[[step]]
at = "00:03"
line = "leave ana lobby"
"""
EXAMPLES = Path(__file__).parents[2] / "hardware-sim" / "examples"


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SITE, "utf-8")
    return path


def test_people_at_devices(site_file: Path) -> None:
    with Building(read_plan(site_file), speed=50) as site:
        assert [(facts["id"], facts.get("door")) for facts in site.ready()] == [("lobby", "sub-1"), ("mesa", None)]
        assert site.obey("walk ana lobby")["granted"] is True
        assert site.obey("walk beto lobby")["reason"] == "unknown"
        assert site.obey("lobby state")["openings"] == 1
        assert site.obey("lobby present card 25489530")["user_id"] == "1001"
        assert site.obey("leave beto lobby")["door"] == "closed"
        with serial.Serial(str(site_file.parent / "run" / "mesa"), 9600, timeout=5) as line:
            assert site.obey("mesa present @beto 1")["card"] == "0801161DD6"
            assert line.read(14) == frame("0801161DD6")
            assert site.obey("card ana mesa 1")["ok"] is True
            until(lambda: frame("0F0184F07A") in line.read(14))


def test_a_finger_enrolled_under_any_number_is_still_the_persons(site_file: Path) -> None:
    with Building(read_plan(site_file), speed=50) as site:
        terminal = site.devices["lobby"]
        with pyzk(terminal) as zk:  # type: ignore[arg-type]
            site.obey("lobby finger-ready beto ok 1")
            zk.set_user(uid=9, name="B", user_id="777")
            assert zk.enroll_user(uid=9, temp_id=1)
        assert site.obey("finger beto lobby 1")["user_id"] == "777"
        assert site.obey("finger ana lobby 1")["reason"] == "unknown"


def test_a_controller_in_the_building(site_file: Path) -> None:
    panel = '[[device]]\nid = "panel"\nkind = "push-controller"\nserver = "{url}"\ndoors = 2\npoll_s = 0.02\n'
    with listening(PushServer()) as server:
        site_file.write_text(SITE.replace("[[person]]", panel.format(url=server.url) + "[[person]]", 1), "utf-8")
        with Building(read_plan(site_file), speed=50) as site:
            assert site.obey("panel add-user 7 card=1")["ok"] is False
            assert site.obey("panel add-user 7 @ana 2")["ok"] is True
            assert site.obey("walk ana panel 2")["granted"] is True
            assert site.obey("walk ana panel 1")["reason"] == "no_right"
            assert site.obey("leave beto panel 1")["ok"] is True
            assert site.obey("finger beto panel 0 1")["reason"] == "unknown_finger"
            until(lambda: len(server.events) == 8)
        assert [line.split("event=")[1].split()[0] for line in server.events] == [
            "0",
            "200",
            "201",
            "23",
            "202",
            "200",
            "201",
            "34",
        ]


def test_the_script_by_step_and_by_time(site_file: Path) -> None:
    told: list[dict[str, object]] = []
    with Building(read_plan(site_file), speed=50, tell=told.append) as site:
        first = site.obey("step")
        assert (first["step"], first["granted"], first["of"]) == (1, True, 3)
        assert site.obey("script start")["running"] is True
        until(lambda: any(line.get("script") == "ended" for line in told))
        assert [line.get("line") for line in told[:2]] == ["lobby present card @beto", "leave ana lobby"]
        assert site.obey("step")["error"] == "the script is at its end"
        assert site.obey("script state") == {"ok": True, "running": False, "next": 4, "of": 3}


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("attic state", "no device or verb 'attic'"),
        ("walk nobody lobby", "nobody is called"),
        ("walk ana attic", "no device 'attic'"),
        ("walk ana mesa", "mesa has no door"),
        ("lobby present card @nobody", "nobody is called"),
        ("finger ana lobby thumb", "thumb"),
        ("script dance", "start|stop|state"),
        ("", "empty line"),
        ('"', "No closing quotation"),
    ],
)
def test_lines_that_make_no_sense(site_file: Path, line: str, part: str) -> None:
    with Building(read_plan(site_file)) as site:
        result = site.obey(line)
        assert result["ok"] is False
        assert part in str(result["error"])


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ('kind = "zk-terminal"=kind = "toaster"', "toaster"),
        ('finger = "manual"=colour = "red"', "unknown key colour"),
        ('finger = "manual"=port = "4370"', "no int"),
        ('finger = "manual"=faults = ["sneeze"]', "no fault"),
        ('finger = "manual"=max_frame = 1', "max frame"),
        ('id = "mesa"=id = "lobby"', "the name is taken"),
        ('id = "mesa"=id = "walk"', "the name is taken"),
        ('card = "0F0184F07A"=card = "12"', "ten hexadecimal digits"),
        ('on = ["lobby"]=on = ["attic"]', "no such terminal"),
        ("after = 1=at = -1", "due before"),
        ('at = "00:03"=at = "noon"', "no MM:SS"),
        ('script = "on-demand"=script = "never"', "at-start or on-demand"),
        ('name = "Prueba"=name = Prueba', "site.toml"),
    ],
)
def test_files_that_describe_no_building(site_file: Path, change: str, part: str) -> None:
    before, after = _split(change)
    assert before in SITE
    site_file.write_text(SITE.replace(before, after, 1), "utf-8")
    with pytest.raises(BadSite, match=part.replace("|", r"\|")):
        read_plan(site_file)


def _split(change: str) -> tuple[str, str]:
    """`before=after`, where both sides are themselves `key = value`: cut at the sign that has no space around it."""
    for index, sign in enumerate(change):
        if sign == "=" and change[index - 1] != " " and change[index + 1] != " ":
            return change[:index], change[index + 1 :]
    raise AssertionError(change)


def test_the_examples_read_and_their_people_are_known() -> None:
    plan = read_plan(EXAMPLES / "subgerencia.toml")
    assert [device.id for device in plan.devices] == ["lobby", "infra", "mesa"]
    assert plan.people["ana"].card_number == 25_489_530
    plan = read_plan(EXAMPLES / "centro-de-datos.toml")
    assert plan.devices[0].controller is not None
    assert (plan.devices[0].controller.doors, plan.devices[0].controller.online) == (2, True)


def test_the_data_centres_day_is_played_to_its_end(tmp_path: Path) -> None:
    """Every line of the example is obeyed, and the server hears of all that goes wrong at the doors."""
    path = tmp_path / "site.toml"
    with listening(PushServer()) as server:
        server.verdict = "AUTH=SUCCESS\r\n{record}\r\nCONTROL DEVICE 01000101"
        text = (EXAMPLES / "centro-de-datos.toml").read_text("utf-8").replace("http://127.0.0.1:8081", server.url)
        path.write_text(text.replace("= 14370", "= 0").replace("held_open_s = 10.0", "held_open_s = 0.05"), "utf-8")
        with Building(read_plan(path), speed=1000) as site:
            until(lambda: bool(site.obey("cd-panel state")["registered"]))
            done = []
            while len(done) < len(site.plan.steps):
                if site.plan.steps[len(done)].line == "cd-panel force-door 2":
                    until(lambda: site.obey("cd-panel state")["doors"]["2"]["locked"])  # type: ignore[index]
                if done and done[-1]["line"] == "cd-panel open-door 1":
                    until(lambda: "28" in codes(server))
                done.append(site.obey("step"))
            until(lambda: "100" in codes(server))
        assert [step for step in done if not step["ok"]] == []
        assert {"222", "101", "202", "102", "28", "100", "6000", "4000"} <= set(codes(server))
        ways = {tuple(parse_row(line)[name] for name in ("eventaddr", "inoutstatus")) for line in server.events}
        assert {("1", "0"), ("1", "1"), ("2", "0"), ("2", "1")} <= ways, "both doors, either way"


def test_a_terminal_has_no_reader_on_the_inside(site_file: Path) -> None:
    with Building(read_plan(site_file), speed=50) as site:
        assert "no reader on the inside" in str(site.obey("out ana lobby")["error"])


def codes(server: PushServer) -> list[str]:
    """The numbers of the events that the server has heard of."""
    return [parse_row(line)["event"] for line in list(server.events)]


def test_the_command_says_ready_for_each_device_and_for_the_site(site_file: Path) -> None:
    command = [sys.executable, "-m", "accessctl_sim", "site", str(site_file), "--speed", "50", "--script", "at-start"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(7)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert [line.split()[:2] for line in lines[:3]] == [
        ["ready", "zk-terminal"],
        ["ready", "desk-reader"],
        ["ready", "site"],
    ]
    steps = [json.loads(line) for line in lines[3:]]
    assert [step.get("step") for step in steps] == [1, 2, 3, None]
    assert not (site_file.parent / "run" / "mesa").is_symlink()
