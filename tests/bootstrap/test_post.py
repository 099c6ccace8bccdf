"""Checkpoints by mail over a real socket: encrypted, refused, dropped, slow; never a certificate unchecked."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from threading import Event, Timer
from time import monotonic

import pytest

from accessctl.bootstrap.post import MailServer, SmtpPost
from accessctl.services.checkpoint_mail import Letter, NotSent
from tests.mail_server import MailBox, self_made, serving

PASSWORD = "una clave que nadie debe ver"
LETTER = Letter(
    at=datetime(2026, 11, 24, tzinfo=UTC),
    subject="Punto de control: 7 asientos",
    text="Ñandú\n.\n..\n— x y\n",
    files=(("7.checkpoint", b"\x00\r\n.\r\nnota"),),
)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    return self_made(tmp_path_factory.mktemp("tls"))


def server_at(port: int, **changes: object) -> MailServer:
    plain = MailServer(
        host="127.0.0.1",
        port=port,
        security="none",
        user="",
        password=PASSWORD,
        sender="registro@igss.example",
        recipients=("auditoria@igss.example", "testigo@otro.example"),
        patience_s=10,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test's shorthand


def sent(server: MailServer, stop: Event | None = None) -> None:
    SmtpPost(server).deliver(LETTER, stop or Event())


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_arrives_encrypted_and_whole(certified: tuple[ssl.SSLContext, Path], security: str) -> None:
    context, ca = certified
    box = MailBox(users={"registro": PASSWORD})
    tls = {"starttls": context} if security == "starttls" else {"implicit": context}
    with serving(box, **tls) as server:
        sent(server_at(server.port, security=security, ca=ca, user="registro"))
    assert box.encrypted == [True]
    assert box.recipients == [["auditoria@igss.example", "testigo@otro.example"]]
    got = message_from_bytes(box.letters[0])
    text, file = [part for part in got.walk() if not part.is_multipart()]
    assert text.get_payload(decode=True).decode().replace("\r\n", "\n") == LETTER.text
    assert file.get_payload(decode=True) == LETTER.files[0][1]
    assert got["To"] == "auditoria@igss.example, testigo@otro.example"
    assert got["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_nobody_known_or_of_another_host_is_not_believed(
    certified: tuple[ssl.SSLContext, Path], tmp_path: Path, security: str
) -> None:
    context, _ = certified
    other, other_ca = self_made(tmp_path, "otro.example")
    for mine, ca in ((context, None), (context, other_ca), (other, other_ca)):
        box = MailBox(users={"registro": PASSWORD})
        tls = {"starttls": mine} if security == "starttls" else {"implicit": mine}
        with serving(box, **tls) as server, pytest.raises(NotSent):
            sent(server_at(server.port, security=security, ca=ca, user="registro"))
        assert box.letters == []


def test_a_server_that_offers_no_encryption_gets_neither_password_nor_letter() -> None:
    box = MailBox(users={"registro": PASSWORD})
    with serving(box) as server, pytest.raises(NotSent, match="STARTTLS"):
        sent(server_at(server.port, security="starttls", user="registro"))
    assert box.letters == []


def test_a_refused_sign_in_is_said_without_the_password(certified: tuple[ssl.SSLContext, Path]) -> None:
    context, ca = certified
    with serving(MailBox(users={"registro": "otra"}), starttls=context) as server, pytest.raises(NotSent) as failed:
        sent(server_at(server.port, security="starttls", ca=ca, user="registro"))
    assert "535" in str(failed.value)
    assert PASSWORD not in str(failed.value)


@pytest.mark.parametrize("who", [{"auditoria@igss.example"}, {"auditoria@igss.example", "testigo@otro.example"}])
def test_a_refused_recipient_is_a_letter_not_sent(who: set[str]) -> None:
    with serving(MailBox(refused=frozenset(who))) as server, pytest.raises(NotSent, match="recipients"):
        sent(server_at(server.port))


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "DATA", "END"])
def test_a_dropped_connection_is_a_letter_not_sent(step: str) -> None:
    box = MailBox(fault=f"drop:{step}")
    with serving(box) as server, pytest.raises(NotSent):
        sent(server_at(server.port))
    assert box.letters == []


def test_how_the_server_says_goodbye_is_its_business() -> None:
    box = MailBox(fault="drop:QUIT")
    with serving(box) as server:
        sent(server_at(server.port))
    assert len(box.letters) == 1


@pytest.mark.parametrize("fault", ["hang:EHLO", "hang:DATA", "drip"])
def test_a_slow_server_has_so_long_for_everything_together(fault: str) -> None:
    begun = monotonic()
    with serving(MailBox(fault=fault)) as server, pytest.raises(NotSent):
        sent(server_at(server.port, patience_s=0.8))
    assert monotonic() - begun < 30


def test_a_service_that_stops_does_not_wait_for_a_slow_server() -> None:
    stop = Event()
    begun = monotonic()
    with serving(MailBox(fault="hang:DATA")) as server:
        Timer(0.2, stop.set).start()
        with pytest.raises(NotSent):
            sent(server_at(server.port, patience_s=60), stop)
    assert monotonic() - begun < 30


def test_nobody_there_is_a_letter_not_sent() -> None:
    with serving(MailBox()) as server:
        port = server.port
    with pytest.raises(NotSent, match=r"127\.0\.0\.1"):
        sent(server_at(port))


def test_the_password_is_never_shown() -> None:
    assert PASSWORD not in repr(server_at(25))
