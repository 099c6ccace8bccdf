"""A server that a PUSH device can call: it answers as the vendor's examples do, and keeps what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PARAMETERS = "ServerVersion=3.0.1\nServerName=ADMS\nPushProtVer=3.0.1\nRequestDelay=1\nSessionID=30BF\nTimeoutSec=5"


class PushServer:
    """What the server knows and says. `orders` are handed out in the batches given."""

    def __init__(self) -> None:
        self.registered = False
        self.refuse_registration = False
        self.event_ack = "OK"
        self.attlog_ack = "OK: {n}"
        self.table_ack = "{table}=1"
        self.verdict = "AUTH=SUCCESS\r\n{record}\r\nCONTROL DEVICE 01010105"
        self.orders: list[str] = []
        self.events: list[str] = []
        self.attlog: list[str] = []
        self.states: list[str] = []
        self.tables: list[str] = []
        self.results: list[str] = []
        self.queries: list[tuple[str, str]] = []
        self.seen: list[str] = []
        self.cookies: set[str] = set()
        self.port = 0

    def answer(self, method: str, path: str, body: str) -> str:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        verb = parts.path.rsplit("/", 1)[1]
        self.seen.append(f"{method} {verb} {query.get('table', '')}".strip())
        if verb == "cdata" and method == "GET":
            return self._hello(query)
        if verb == "registry":
            self.registered = not self.refuse_registration
            return "RegistryCode=Uy47fxftP3" if self.registered else "406"
        if verb == "push":
            return PARAMETERS
        if verb == "getrequest":
            return self.orders.pop(0) if self.orders else "OK"
        if verb == "devicecmd":
            self.results += body.splitlines()
        if verb == "querydata":
            self.queries.append((parts.query, body))
        return self._data(query, body) if verb == "cdata" else "OK"

    def _hello(self, query: dict[str, str]) -> str:
        if query.get("pushver", "").startswith("2."):
            return f"GET OPTION FROM: {query['SN']}\nATTLOGStamp=9999\nDelay=1\nTimeZone=-6"
        return f"registry=ok\nRegistryCode=Uy47fxftP3\n{PARAMETERS}" if self.registered else "OK"

    def _data(self, query: dict[str, str], body: str) -> str:
        table = query.get("table", "")
        if query.get("AuthType") == "device":
            return self.verdict.format(record=body.strip())
        if table == "rtlog":
            self.events += body.splitlines()
            return self.event_ack
        if table == "ATTLOG":
            self.attlog += body.splitlines()
            return self.attlog_ack.format(n=len(body.splitlines()))
        if table == "rtstate":
            self.states.append(body)
        if table == "tabledata":
            self.tables.append(body)
            return self.table_ack.format(table=query["tablename"])
        return "OK: 1" if table == "OPERLOG" else "OK"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def listening(server: PushServer, port: int = 0) -> Iterator[PushServer]:
    """Serve on a real socket until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(server.answer("GET", self.path, ""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(body) < int(self.headers["Content-Length"]):
                return  # the device went away in the middle
            server.cookies.add(self.headers.get("Cookie", ""))
            self._say(server.answer("POST", self.path, body.decode()))

        def _say(self, text: str) -> None:
            data = text.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            with suppress(ConnectionError):  # the device may be gone by now
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as httpd:
        server.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            httpd.shutdown()
            thread.join(5)
