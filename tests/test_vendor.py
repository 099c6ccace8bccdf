"""What we ship and did not write: listed, with digest and licence, and at work under the strict policy of the panel."""

import hashlib
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page
from reportlab.pdfbase.ttfonts import TTFontFile

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "web/accessctl_web/static/vendor"
FONTS = ROOT / "accessctl/documents/fonts"
ABOUT = {"VENDOR.toml", "README.md"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HTMX_CONFIG = '{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true}'
PAGE = f"""<!doctype html>
<html lang="es"><head><meta charset="utf-8"><title>prueba</title>
<meta name="htmx-config" content='{HTMX_CONFIG}'>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/pico/pico.min.css">
<script src="/htmx/htmx.min.js"></script>
<script src="/htmx-ext-sse/sse.min.js"></script>
<script src="/signature_pad/signature_pad.umd.min.js"></script>
<script src="/pad.js"></script>
</head><body>
<button id="ask" hx-get="/fragment" hx-target="#answer">Preguntar</button> <p id="answer"></p>
<div hx-ext="sse" sse-connect="/events"><p id="live" sse-swap="door"></p></div>
<canvas id="pad" width="300" height="150"></canvas>
</body></html>"""
PAD_SCRIPT = "addEventListener('load', () => { window.pad = new SignaturePad(document.getElementById('pad')); });"
MADE = {
    "/": ("text/html", PAGE),
    "/fragment": ("text/html", "<b>Granted</b><script>document.title = 'ran'</script>"),
    "/events": ("text/event-stream", "event: door\ndata: <i>Puerta abierta</i>\n\n"),
    "/pad.js": ("text/javascript", PAD_SCRIPT),
}
KINDS = {".js": "text/javascript", ".css": "text/css"}


class Shelf(BaseHTTPRequestHandler):
    """Serves the vendored files and the few pages above, each under the policy."""

    def do_GET(self) -> None:
        if self.path in MADE:
            kind, text = MADE[self.path]
            body = text.encode()
        else:
            file = ASSETS / self.path.lstrip("/")
            kind, body = KINDS[file.suffix], file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parameter's name in http.server
        """Requests are not printed between the test results."""


@pytest.fixture(scope="module")
def shelf() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join(timeout=10)
    server.server_close()


@pytest.mark.parametrize("folder", [ASSETS, FONTS], ids=["assets", "fonts"])
def test_every_vendored_file_is_listed_with_its_digest_and_a_licence(folder: Path) -> None:
    packages = tomllib.loads((folder / "VENDOR.toml").read_text())["package"]
    listed = {name: digest for package in packages for name, digest in package["files"].items()}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name not in ABOUT}

    assert there == listed.keys()
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
    for package in packages:
        assert all(package[key] for key in ("name", "version", "licence", "origin"))
        assert any(Path(name).name == "LICENSE" for name in package["files"]), package["name"]


@pytest.mark.parametrize("name", ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"])
def test_fonts_write_spanish(name: str) -> None:
    written = "áéíóúüñ ÁÉÍÓÚÜÑ ¿¡ «» “” – — … º ª № Q ✓ → ≤ ≥ 0123456789"
    assert {ord(letter) for letter in written} <= TTFontFile(FONTS / name).charToGlyph.keys()


@pytest.mark.browser
def test_assets_run_under_the_strict_policy(page: Page, shelf: str) -> None:
    page.goto(shelf)
    assert page.evaluate("htmx.version").startswith("2.")

    page.click("#ask")
    page.wait_for_selector("#answer b")
    assert page.inner_text("#answer") == "Granted"
    assert page.title() == "prueba", "a script inside a fragment ran"

    page.wait_for_selector("#live i", state="attached")
    assert page.inner_text("#live") == "Puerta abierta"

    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(box["x"] + 20 + 25 * step, box["y"] + 20 + 12 * (step % 3))
    page.mouse.up()
    strokes = page.evaluate("pad.toData()")
    assert len(strokes) == 1
    assert len(strokes[0]["points"]) > 2
