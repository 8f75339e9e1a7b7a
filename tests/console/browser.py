"""Headless Chromium, where the machine has one. Nothing is installed here: `.ci/run` does that, and forbids skips."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

REQUIRED = os.environ.get("TEST_BROWSER") == "required"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
# A refusal that the page tells of in a sentence; Chromium writes it into its console by itself.
EXPECTED = "Failed to load resource"


@contextmanager
def a_browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        (pytest.fail if REQUIRED else pytest.skip)("There is no chromium on this machine.")
    with sync_playwright() as playwright:
        # Its sandbox needs rights that containers rarely give; it opens this server's pages alone.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@contextmanager
def a_page(browser: Browser, url: str, *, width: int = 1440, height: int = 900, dark: bool = False) -> Iterator[Page]:
    """A tab of its own on the console. Whatever goes wrong in it or what it opens fails here, also by a policy."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    wrong: list[str] = []
    context.on("weberror", lambda failed: wrong.append(str(failed.error)))
    context.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
    try:
        yield page
    finally:
        context.close()
    assert [text for text in wrong if EXPECTED not in text] == []


def open_with(page: Page, key: str, address: str = "#/") -> None:
    """Paste the key as a person does, at an address of the console."""
    page.goto(f"/{address}")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Open").click()
    page.get_by_label("API key").wait_for(state="detached")


def findings(page: Page) -> list[str]:
    """What axe-core finds serious or worse on the page as it is."""
    if not AXE.exists():
        (pytest.fail if REQUIRED else pytest.skip)("axe-core is not installed: `make test` does that.")
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate("axe.run()")
    return [
        f"{violation['id']}: {node['html']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
