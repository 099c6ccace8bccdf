"""A mail server for tests, on a real socket: SMTP with STARTTLS or TLS, sign-in, and the faults that servers have.

    with serving(MailBox(users={"ana": "secreta"}), starttls=context) as server:
        server.port, server.box.letters

Standard library only; it shares nothing with what is tested but the protocol (RFC 5321, 3207, 4954).
"""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ANNOUNCED = b"SIZE 35882577"


@dataclass
class MailBox:
    """What came in, and how the server behaves. A fault is `drop:STEP`, `hang:STEP` or `drip`."""

    users: dict[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    fault: str = ""
    letters: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    sessions: int = 0
    over: Event = field(default_factory=Event)


class _Session(StreamRequestHandler):
    server: "MailServer"

    def handle(self) -> None:
        self.box = self.server.box
        self.box.sessions += 1
        self.is_encrypted = self.server.implicit is not None
        self.known = not self.box.users
        self.to: list[str] = []
        with suppress(OSError, EOFError):
            if self.server.implicit is not None:
                self._encrypt(self.server.implicit)
            self._say(b"220 mail.test ESMTP")
            while self._one(self.rfile.readline(4096)):
                pass

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.connection.close()  # of TLS, which took the plain one over

    def _say(self, *lines: bytes) -> None:
        for place, line in enumerate(lines):
            last = place == len(lines) - 1
            text = (line[:3] + (b" " if last else b"-") + line[4:] + b"\r\n") if len(line) > 3 else line
            if self.box.fault == "drip":
                for byte in text:
                    if self.box.over.wait(0.2):
                        raise EOFError
                    self.wfile.write(bytes([byte]))
            else:
                self.wfile.write(text)

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.is_encrypted = True

    def _one(self, line: bytes) -> bool:
        verb, _, rest = line.strip().partition(b" ")
        name = verb.upper().decode("ascii", "replace")
        if self.box.fault == f"drop:{name}" or not line:
            return False
        if self.box.fault == f"hang:{name}":
            self.box.over.wait(60)
            return False
        return bool(getattr(self, f"_{name.lower()}", self._unknown)(rest))

    def _unknown(self, _: bytes) -> bool:
        self._say(b"500 what?")
        return True

    def _ehlo(self, _: bytes) -> bool:
        offers = [b"250 mail.test"]
        if self.server.starttls is not None and not self.is_encrypted:
            offers.append(b"250 STARTTLS")
        if self.box.users and self.is_encrypted:
            offers.append(b"250 AUTH PLAIN")
        self._say(*offers, b"250 " + ANNOUNCED)
        return True

    def _starttls(self, _: bytes) -> bool:
        assert self.server.starttls is not None
        self._say(b"220 go on")
        self._encrypt(self.server.starttls)
        return True

    def _auth(self, rest: bytes) -> bool:
        _, user, password = base64.b64decode(rest.split(b" ")[1]).decode().split("\0")
        self.known = self.box.users.get(user) == password
        self._say(b"235 welcome" if self.known else b"535 5.7.8 no such account or password")
        return True

    def _mail(self, _: bytes) -> bool:
        self._say(b"250 ok" if self.known else b"530 5.7.0 sign in first")
        return True

    def _rcpt(self, rest: bytes) -> bool:
        address = rest.decode().partition("<")[2].partition(">")[0]
        if address in self.box.refused:
            self._say(b"550 5.1.1 nobody here")
        else:
            self.to.append(address)
            self._say(b"250 ok")
        return True

    def _rset(self, _: bytes) -> bool:
        self._say(b"250 ok")
        return True

    def _data(self, _: bytes) -> bool:
        self._say(b"354 go on")
        content = b""
        while (line := self.rfile.readline(65536)) not in {b".\r\n", b""}:
            content += line[1:] if line.startswith(b".") else line
        if not line or self.box.fault == "drop:END":
            return False
        self.box.letters.append(content)
        self.box.recipients.append(self.to)
        self.box.encrypted.append(self.is_encrypted)
        self._say(b"250 queued")
        return True

    def _quit(self, _: bytes) -> bool:
        self._say(b"221 bye")
        return False


class MailServer(ThreadingTCPServer):
    """Listens on a port of its own."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, box: MailBox, starttls: ssl.SSLContext | None, implicit: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.box, self.starttls, self.implicit = box, starttls, implicit

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A session that broke is what some tests are about."""


@contextmanager
def serving(
    box: MailBox, *, starttls: ssl.SSLContext | None = None, implicit: ssl.SSLContext | None = None
) -> Iterator[MailServer]:
    """A server that listens."""
    with MailServer(box, starttls, implicit) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            box.over.set()
            server.shutdown()
            thread.join()


def self_made(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for `host`, and the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "correo de prueba")])
    now = datetime.now(UTC)
    alternative: x509.GeneralName = x509.IPAddress(IPv4Address(host)) if host[0].isdigit() else x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / f"{host}.pem", folder / f"{host}.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    return context, chain
