"""The device ingress as a WSGI application: the listener that controllers call, apart from the panel's.

No controller dialect is served yet: whoever calls is told so (404) and nothing of it is believed or stored.
"""

from collections.abc import Callable, Iterable
from typing import Any

from accessctl.bootstrap.lifeline import end_with_parent

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def ingress_app() -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """The factory that the web server calls in its worker."""
    end_with_parent()

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        del environ
        body = b"no such device\n"
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return app
