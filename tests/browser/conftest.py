"""A real Chromium on the built pages, served by a whole embedded stack."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from embedded.stack import Stack
from tests.browser.pages import Pages
from tests.whole_stack import business, customers, name, numbers

__all__ = ["business", "customers", "name", "numbers"]

LAPTOP: ViewportSize = {"width": 1400, "height": 860}
PATIENCE = 60_000
"""Milliseconds until what is expected on a page is held to never happen."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    with Stack.start(sweep_every=3) as stack:
        yield stack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; `make browser` installs it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "there is no chromium: run `make browser`"
    # Root may not use Chromium's own sandbox, and small machines have little shared memory.
    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        yield browser
        browser.close()


class Console:
    """What the page complained of: errors, warnings, and what its policy forbade."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        # The browser reports refused requests itself; the page shows them to the user.
        if kind in {"error", "warning"} and "Failed to load resource" not in text:
            self.said.append(text)


@contextmanager
def reader(browser: Browser, **looks: Any) -> Iterator[Page]:
    """A tab of somebody who reads English and sees it as these options of Playwright's say."""
    context = browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC"} | looks)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own for each test; it must not complain of anything."""
    with reader(browser, viewport=LAPTOP) as page:
        console = Console(page)
        yield page
    assert console.said == []


@pytest.fixture(scope="package")
def session(browser: Browser, stack: Stack) -> str:
    """What the tab keeps of somebody who signed in."""
    with reader(browser) as page:
        Pages(page, stack.api_url).sign_in()
        return str(page.evaluate("sessionStorage.getItem('sendout.session')"))


@pytest.fixture
def pages(page: Page, stack: Stack, session: str) -> Pages:
    """The pages, signed in."""
    pages = Pages(page, stack.api_url)
    pages.resume(session)
    return pages
