"""A real Chromium for the tests that click: the fixtures `browser` (one a module) and `page` (one a test).

The browser is the machine's own (Debian's `chromium`); Playwright only steers it. Where there is none the test is
skipped by name, and under `CI=true` it fails, so that a green run has always seen the panel. A browser lives as long as
a module of tests and not as long as the session: Playwright keeps an event loop running in the thread that started it,
and a test of another module could not call `asyncio.run` beside it.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")

ARGUMENTS = (
    "--no-sandbox",  # the tests run as root in CI, where Chromium's sandbox refuses to start
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

PATIENCE_MS = 15_000


def executable() -> str | None:
    """The path of the machine's Chromium, if it has one."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    path = executable()
    if path is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed (apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a person in Guatemala, with nothing remembered; script errors and breaches of policy fail the test."""
    context = browser.new_context(
        locale="es-GT", timezone_id="America/Guatemala", viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(message.text)

    def on_error(error: Error) -> None:
        faults.append(str(error))

    opened = context.new_page()
    opened.on("console", on_console)
    opened.on("pageerror", on_error)
    yield opened
    context.close()
    assert not faults, "\n".join(faults)
