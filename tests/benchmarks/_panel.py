"""The panel open beside a benchmark: the real process on the same database, and people who look at it.

    with open_panel(installation) as watched: …      afterwards `watched.seen` says what the people saw

Those who look are a process of their own, so that what they cost is not in the measuring one: each person follows
`/events/live` and reads Adentro, Alarmas and Eventos again every two seconds, as the pages do by themselves.
"""

import argparse
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from accessctl.bootstrap import build
from accessctl.bootstrap.supervisor import free_port
from accessctl.domain.people import SYSTEM, Role
from accessctl.settings import load
from tests.protocol.installation import HOST, Installation, until

PAGES = ("/adentro/", "/alarmas/", "/eventos")
EVERY_S = 2.0
PASSWORD = "una clave larga de guardia"


@dataclass
class Watched:
    """What the people saw: pages and events of the streams, the slowest of a hundred pages, what went wrong."""

    address: str
    seen: dict[str, float] = field(default_factory=dict)


@contextmanager
def open_panel(installation: Installation, *, people: int) -> Iterator[Watched]:
    """The panel with `people` who look at it. Raises where one of them sees an error."""
    service = build(load(str(installation.folder / "accessctl.toml")))
    for number in range(people):
        service.accounts.add(
            SYSTEM,
            username=f"guardia{number}",
            password=PASSWORD,
            person=installation.premises.person(f"Guardia {number}").id,
            roles=frozenset({Role.GUARDIA}),
            reference="bench",
        )
    service.store.close()
    port = free_port(HOST)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ACCESSCTL_")}
    settings = {"ACCESSCTL_PANEL": f"{HOST}:{port}", "ACCESSCTL_COOKIE_SECURE": "false"}
    command = [sys.executable, "-m", "accessctl", "--config", str(installation.folder / "accessctl.toml"), "panel"]
    looking = [sys.executable, "-m", "tests.benchmarks._panel", str(port), str(people)]
    with (installation.folder / "panel.log").open("wb") as log:
        panel = subprocess.Popen(command, stdout=log, stderr=log, env={**kept, **settings})
        try:
            until("the panel answers", lambda: _answers(port), within_s=60)
            people_ = subprocess.Popen(looking, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert people_.stdout is not None
            assert people_.stdout.readline().startswith("looking")
            watched = Watched(address=f"http://{HOST}:{port}")
            try:
                yield watched
            finally:
                out, _ = people_.communicate("end\n", timeout=60)
            watched.seen = json.loads(out)
        finally:
            panel.send_signal(signal.SIGTERM)
            panel.wait(20)


def _answers(port: int) -> bool:
    try:
        wire = http.client.HTTPConnection(HOST, port, timeout=5)
        wire.request("GET", "/entrar")
        return wire.getresponse().status == 200
    except OSError:
        return False


# -- the people, in a process of their own


class Person:
    """One browser: a cookie, one connection for pages, one for the stream."""

    def __init__(self, port: int, username: str) -> None:
        self._port = port
        self.times: list[float] = []
        self.events = 0
        self.errors: list[str] = []
        self.cookie = ""
        token = re.search(rb'name="csrf-token" content="([^"]+)"', self._asked("GET", "/entrar"))
        assert token is not None
        form = {"csrf_token": token[1].decode(), "username": username, "password": PASSWORD}
        self._asked("POST", "/entrar", urllib.parse.urlencode(form))

    def _asked(self, method: str, path: str, body: str = "") -> bytes:
        wire = http.client.HTTPConnection(HOST, self._port, timeout=30)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        wire.request(method, path, body or None, headers)
        answer = wire.getresponse()
        content = answer.read()
        wire.close()
        if cookie := answer.getheader("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        if answer.status not in {200, 303}:
            raise RuntimeError(f"{path}: {answer.status}")
        return content

    def reads(self, over: threading.Event, first_after_s: float) -> None:
        """The three pages, every two seconds, until it is over."""
        if over.wait(first_after_s):
            return
        while True:
            begun = time.monotonic()
            for path in PAGES:
                asked = time.perf_counter()
                try:
                    if b"</html>" not in self._asked("GET", path):
                        self.errors.append(f"{path}: not a page")
                except (OSError, RuntimeError, http.client.HTTPException) as error:
                    self.errors.append(str(error))
                self.times.append(time.perf_counter() - asked)
            if over.wait(max(0.0, EVERY_S - (time.monotonic() - begun))):
                return

    def follows(self, over: threading.Event) -> None:
        """The stream of events; it ends by itself now and then, and is asked for again from the last entry on."""
        last = "-1"
        while not over.is_set():
            wire = http.client.HTTPConnection(HOST, self._port, timeout=60)
            headers = {"Cookie": self.cookie} | ({"Last-Event-ID": last} if last != "-1" else {})
            try:
                wire.request("GET", "/events/live", headers=headers)
                answer = wire.getresponse()
                if answer.status != 200:
                    self.errors.append(f"stream: {answer.status}")
                while not over.is_set() and (line := answer.readline()):
                    if line.startswith(b"id: "):
                        self.events += 1
                        last = line[4:].strip().decode()
            except OSError as error:
                self.errors.append(f"stream: {error}")
            finally:
                wire.close()


def look() -> None:
    """Everybody looks until a line comes; then says what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("people", type=int)
    options = parser.parse_args()
    over = threading.Event()
    people = [Person(options.port, f"guardia{number}") for number in range(options.people)]
    for number, person in enumerate(people):
        first = EVERY_S * number / len(people)
        threading.Thread(target=person.reads, args=(over, first), daemon=True).start()
        threading.Thread(target=person.follows, args=(over,), daemon=True).start()
    print("looking", flush=True)
    sys.stdin.readline()
    over.set()
    times = sorted(one for person in people for one in list(person.times))
    errors = [error for person in people for error in person.errors]
    for error in errors[:5]:
        print(error, file=sys.stderr)
    seen = {
        "pages": len(times),
        "page_p50_ms": round(1000 * times[len(times) // 2], 1) if times else 0,
        "page_p99_ms": round(1000 * times[int(len(times) * 0.99)], 1) if times else 0,
        "events": sum(person.events for person in people),
        "errors": len(errors),
    }
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    look()
