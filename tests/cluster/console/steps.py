"""What the tests of the console do again and again."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import palmerpenguins
from playwright.sync_api import Page, expect

from tests.console.browser import open_with
from tests.servers import UpServer

PENGUINS = Path(palmerpenguins.__file__).parent / "data" / "penguins.csv"
SLOW_MS = 60_000
POLL_MS = 3_000  # as in polling.js


class OpenPage(Protocol):
    def __call__(self, **look: Any) -> AbstractContextManager[Page]: ...


def seen(page: Page, title: str) -> None:
    """The view with this title, with all that it fetches."""
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)


def tab_to(page: Page, name: str) -> None:
    """By the keyboard alone, to what is called so; where the focus is can be seen."""
    target = page.locator("a, button, input, select, summary").filter(has_text=name).or_(page.get_by_label(name)).first
    expect(target).to_be_visible()
    for _ in range(80):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            break
    expect(target).to_be_focused(timeout=1)
    assert target.evaluate("element => getComputedStyle(element).outlineStyle") == "solid", name


def command_of(page: Page, action: str) -> str:
    """The curl command that stands beside an action."""
    command = page.locator("details.curl").filter(has=page.get_by_text(re.compile(f": {action}$")))
    command.locator("summary").click()
    expect(command.locator("pre")).to_contain_text("$SYNTHGEN_API_KEY")
    return command.locator("pre").inner_text()


def sampled(page: Page, server: UpServer, birds: dict[str, str]) -> None:
    """A ready model with its sample, and what may be asked of it."""
    open_with(page, server.key, birds["birds"])
    expect(page.get_by_role("region", name="Synthetic rows").locator("tbody tr")).to_have_count(8)
    page.get_by_text("Conditions", exact=True).click()
