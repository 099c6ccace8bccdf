"""A person at the panel, without the person: signs in, fills in forms, reads pages. Standard library only."""

import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO

from demo_processes import DemoFailed

_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_REFUSAL = re.compile(r'data-reason="([a-z_]+)"(?:\s+data-norm="([^"]*)")?')


class _Stay(urllib.request.HTTPRedirectHandler):
    """The answer to a form is its redirect; where it leads is asked for separately."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """No redirect is followed."""
        del req, fp, code, msg, headers, newurl


class Refused(Exception):
    """The panel said no: the status and the page."""

    def __init__(self, status: int, page: str) -> None:
        found = _REFUSAL.search(page)
        self.status, self.page = status, page
        self.reason, self.norm = (found.group(1), found.group(2) or "") if found else ("", "")
        super().__init__(f"{status} {self.reason} {self.norm}")


class Panel:
    """One browser of one person."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._address = ""
        self._token = ""
        self._opener = urllib.request.OpenerDirector()

    def sign_in(self, address: str, username: str, password: str) -> None:
        """Begin a session at the panel of this address, whatever was before. Raises `Refused`."""
        self._address = address
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), _Stay())
        self._token = ""
        self.post("/entrar", {"username": username, "password": password})
        self._token = self._token_of("/")

    def get(self, path: str) -> str:
        """A page. Raises `Refused` for anything but 200."""
        return self._ask(urllib.request.Request(self._address + path))[1].decode()

    def download(self, path: str) -> bytes:
        """A document."""
        return self._ask(urllib.request.Request(self._address + path))[1]

    def post(
        self,
        path: str,
        fields: dict[str, str | list[str]] | None = None,
        files: dict[str, tuple[str, bytes]] | None = None,
    ) -> str:
        """A form; returns where it leads. Raises `Refused` with the page where the panel says no."""
        location, page = self._ask(self._filled(path, fields or {}, files or {}))
        if not location:
            raise DemoFailed(f"{path}: se esperaba un cambio de página, llegó {page[:200]!r}")
        return urllib.parse.urlsplit(location)._replace(scheme="", netloc="").geturl()

    def prints(self, path: str, fields: dict[str, str | list[str]]) -> bytes:
        """A form that is answered by a document."""
        return self._ask(self._filled(path, fields, {}))[1]

    def _filled(
        self, path: str, fields: dict[str, str | list[str]], files: dict[str, tuple[str, bytes]]
    ) -> urllib.request.Request:
        pairs = [("csrf_token", self._token or self._token_of("/entrar"))]
        for key, value in fields.items():
            pairs += [(key, one) for one in ([value] if isinstance(value, str) else value)]
        if files:
            body, kind = _multipart(pairs, files)
        else:
            body, kind = urllib.parse.urlencode(pairs).encode(), "application/x-www-form-urlencoded"
        return urllib.request.Request(self._address + path, data=body, headers={"Content-Type": kind})

    def _token_of(self, path: str) -> str:
        """The session's token against forged forms, from any of its pages."""
        found = _TOKEN.search(self.get(path))
        if found is None:
            raise DemoFailed(f"{path}: la página no trae su ficha de seguridad")
        return found.group(1)

    def _ask(self, request: urllib.request.Request) -> tuple[str, bytes]:
        try:
            with self._opener.open(request, timeout=30) as answer:
                return "", answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if error.code in {302, 303}:
                    return error.headers["Location"], b""
                raise Refused(error.code, error.read().decode(errors="replace")) from None


def _multipart(pairs: list[tuple[str, str]], files: dict[str, tuple[str, bytes]]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in pairs
    ]
    for key, (name, content) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"; filename="{name}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"
