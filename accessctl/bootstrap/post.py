"""Letters leave through the institution's mail server: SMTP, with STARTTLS or TLS from the first byte, checked.

A server has `PATIENCE_S` for everything together, however slowly it drips; then its connection is shut, and so it is
when the service stops. Nothing of a letter or a password is logged; what the server answers is only quoted, bounded.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from accessctl.bootstrap import Service
from accessctl.documents.checkpoint_letter import compose
from accessctl.services.checkpoint_mail import CheckpointMail, Letter, MailRhythm, NotSent
from accessctl.settings import Settings

PATIENCE_S = 60.0
CONNECT_S = 15.0
LONGEST_QUOTE = 160
WATCHED_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where letters go. `ca` is a file of certificates to trust in place of the machine's."""

    host: str
    port: int
    security: str  # starttls, tls, none
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]
    ca: Path | None = None
    patience_s: float = PATIENCE_S


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server of the settings; None where there is none."""
    if not settings.mail_server:
        return None
    host, port = settings.address("mail_server")
    return MailServer(
        host=host,
        port=port,
        security=settings.mail_security,
        user=settings.mail_user,
        password=settings.mail_password.get_secret_value(),
        sender=settings.mail_from,
        recipients=settings.mail_recipients,
        ca=settings.mail_ca,
    )


def checkpoint_mail(service: Service) -> CheckpointMail | None:
    """What sends this installation's checkpoints; None where no mail server is set."""
    server = mail_server(service.settings)
    if server is None:
        return None
    settings = service.settings
    rhythm = MailRhythm(every=timedelta(hours=settings.mail_checkpoint_hours), entries=settings.mail_checkpoint_entries)
    return CheckpointMail(service.office, service.record_keeper, SmtpPost(server), compose, rhythm)


class SmtpPost:
    """Delivers over SMTP (`accessctl.services.checkpoint_mail.Post`)."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def deliver(self, letter: Letter, stop: Event) -> None:
        """Returns once the server has taken it over for everybody. Raises `NotSent`."""
        try:
            with self._session(stop) as smtp:
                refused = smtp.send_message(
                    self._message(letter), from_addr=self._server.sender, to_addrs=list(self._server.recipients)
                )
        except smtplib.SMTPException as failed:
            raise NotSent(_quoted(failed)) from None
        except (OSError, ValueError) as failed:  # ValueError: a file on a socket that was shut meanwhile
            why = getattr(failed, "strerror", None) or type(failed).__name__
            raise NotSent(f"{self._server.host}:{self._server.port}: {why}"[:LONGEST_QUOTE]) from None
        if refused:
            raise NotSent(f"{len(refused)} of {len(self._server.recipients)} recipients were refused")

    @contextmanager
    def _session(self, stop: Event) -> Iterator[smtplib.SMTP]:
        """A session that has said hello, is encrypted as set and signed in; shut when its time is over."""
        server = self._server
        context = ssl.create_default_context(cafile=None if server.ca is None else str(server.ca))
        here = server.sender.rpartition("@")[2]  # what it says hello as: asking the resolver may take long
        timeout = min(CONNECT_S, server.patience_s)
        smtp = (
            smtplib.SMTP_SSL(local_hostname=here, timeout=timeout, context=context)
            if server.security == "tls"
            else smtplib.SMTP(local_hostname=here, timeout=timeout)
        )
        smtp._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001 -- whose certificate it has to be: the constructor takes it only where it connects at once
        over = Event()
        Thread(target=_watch, args=(smtp, over, stop, server.patience_s), daemon=True, name="mail deadline").start()
        try:
            smtp.connect(server.host, server.port)
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.user:
                smtp.login(server.user, server.password)
            yield smtp
            with suppress(smtplib.SMTPException, OSError):  # it has the letter; how it says goodbye is its business
                smtp.quit()
        finally:
            over.set()
            smtp.close()

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = letter.subject
        message["From"] = self._server.sender
        message["To"] = ", ".join(self._server.recipients)
        message["Date"] = format_datetime(letter.at)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        for name, content in letter.files:
            message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        return message


def _watch(smtp: smtplib.SMTP, over: Event, stop: Event, patience_s: float) -> None:
    """Shut the connection when its time is over, or the service stops: whoever waits for an answer waits no longer."""
    ends = monotonic() + patience_s
    while not over.wait(WATCHED_EVERY_S):
        if stop.is_set() or monotonic() >= ends:
            if smtp.sock is not None:
                with suppress(OSError):
                    smtp.sock.shutdown(socket.SHUT_RDWR)
            if over.wait(WATCHED_EVERY_S):
                return


def _quoted(failed: smtplib.SMTPException) -> str:
    """What the server answered, in a line; never what we said to it."""
    if isinstance(failed, smtplib.SMTPResponseException):
        said = failed.smtp_error
        text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
        return f"{type(failed).__name__}: {failed.smtp_code} {text}"[:LONGEST_QUOTE]
    if isinstance(failed, smtplib.SMTPRecipientsRefused):
        return f"SMTPRecipientsRefused: {len(failed.recipients)} recipients"
    return f"{type(failed).__name__}: {failed.args[0] if failed.args else ''}"[:LONGEST_QUOTE]
