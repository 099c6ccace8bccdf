"""The panel as a process of its own: two hundred open streams, SIGKILL, started again, and a page that saw it all."""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accessctl.bootstrap import Service
from accessctl.domain.facts import Fact
from accessctl.domain.occupancy import Presence
from accessctl.domain.people import SYSTEM, Role
from tests.browser import PATIENCE_MS
from tests.end_to_end.installation import Installation, alive, descendants, until

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(300)]
PASSWORD = "una frase larga y propia"
STREAMS = 200
LONGEST_S = 60


def goes_in(service: Service, name: str, document: str) -> None:
    """Somebody new on file, whom a door lets in: what its event does to the record and to who is where."""
    person = service.people.register(
        SYSTEM,
        full_name=name,
        document_kind="pasaporte",
        document_number=document,
        email="",
        department="Sistemas",
        position="Analista",
    )
    with service.store.begin() as tx:
        now = service.office.clock()
        tx.presence.add(
            Presence(id=person.id, zone="sub", since=now, seen_at=now, door="sub-1", visit="", certain=True)
        )
        tx.record(Fact.DOOR_GRANTED, at=now, actor=SYSTEM, door="sub-1", person=person.id, direction="in")
        tx.commit()


@contextmanager
def streams(port: int, head: str) -> Iterator[list[socket.socket]]:
    """So many connections that each follow who is inside."""
    with ExitStack() as stack:
        lines = []
        for _ in range(STREAMS):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=LONGEST_S))
            line.sendall(f"GET /en-vivo/inside?after=0 HTTP/1.1\r\n{head}".encode())
            lines.append(line)
        yield lines


def first_of(line: socket.socket) -> str:
    """What a stream said up to its first event."""
    text = ""
    while "event: changed" not in text:
        part = line.recv(65536)
        assert part, text
        text += part.decode()
    return text


@contextmanager
def panel(place: Installation, port: int) -> Iterator[int]:
    """The panel alone, listening; its process group, which is killed at the end."""

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False

    with place.running("panel", ready="") as process:
        until("the panel to listen", answers)
        yield process.pid
        children = descendants(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        until("the panel to be gone", lambda: not alive(children))


def test_a_page_follows_the_record_past_a_crowd_and_a_kill(page: Page, tmp_path: Path) -> None:
    place = Installation(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place.config.write_text(place.config.read_text().replace('panel = "127.0.0.1:0"', f'panel = "127.0.0.1:{port}"'))
    service = place.service()
    address, inside = f"http://127.0.0.1:{port}", page.locator("#inside")
    try:
        guard = service.people.register(
            SYSTEM,
            full_name="Gabriel Gil",
            document_kind="pasaporte",
            document_number="G1",
            email="",
            department="Seguridad",
            position="Guardia",
        )
        roles = frozenset({Role.GUARDIA})
        service.accounts.add(
            SYSTEM, username="guardia", password=PASSWORD, person=guard.id, roles=roles, reference="P1"
        )
        with panel(place, port):
            page.goto(f"{address}/entrar")
            page.get_by_label("Usuario").fill("guardia")
            page.get_by_label("Contraseña").fill(PASSWORD)
            page.get_by_role("button", name="Entrar").click()
            page.goto(f"{address}/adentro/")
            page.evaluate("window.sameDocument = true")
            goes_in(service, "Primera en Entrar", "P1")
            expect(inside).to_contain_text("Primera en Entrar", timeout=PATIENCE_MS)

            (cookie,) = (one for one in page.context.cookies() if one.get("name") == "accessctl")
            browser = page.evaluate("navigator.userAgent")
            head = f"Host: localhost\r\nUser-Agent: {browser}\r\nCookie: accessctl={cookie.get('value')}\r\n\r\n"
            with streams(port, head) as lines:
                said = [first_of(line) for line in lines]
                assert all(" 200 " in one for one in said)
                later = [int(found) for one in said for found in re.findall(r"retry: (\d+)", one)]
                assert len(later) == STREAMS
                assert sum(one >= 4000 for one in later) >= STREAMS - 32  # the others hold a slot
                began = time.monotonic()
                with socket.create_connection(("127.0.0.1", port), timeout=LONGEST_S) as asking:
                    asking.sendall(f"GET /adentro/ HTTP/1.1\r\n{head}".encode())
                    assert b" 200 " in asking.recv(64)
                assert time.monotonic() - began < 10
        goes_in(service, "Entró Mientras Tanto", "P2")  # nobody serves the page: whoever does next is asked from where
        with panel(place, port):
            expect(inside).to_contain_text("Entró Mientras Tanto", timeout=2 * PATIENCE_MS)
            goes_in(service, "Entró Después", "P3")
            expect(inside).to_contain_text("Entró Después", timeout=PATIENCE_MS)
            assert page.evaluate("window.sameDocument") is True
            page.goto("about:blank")
    finally:
        service.store.close()
