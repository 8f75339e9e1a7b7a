"""What the dispatcher's process does beside its work."""

import asyncio
import os
import sys

import pytest
from ray.exceptions import GetTimeoutError

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.runtime import dispatcher as dispatching
from synthgen_ray.runtime.dispatcher import DispatcherActor, _watch_queue
from synthgen_ray.settings import Settings
from tests.beside import beside


class Figures:
    """A queue whose figures cannot be read at first, and who shows them."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.shown = asyncio.Event()

    async def get_queue_figures(self) -> str:
        if self._failures:
            raise self._failures.pop(0)
        return "figures"

    def show(self, figures: str) -> None:
        assert figures == "figures"
        self.shown.set()


async def test_figures_that_cannot_be_had_end_nothing(monkeypatch, caplog):
    monkeypatch.setattr(dispatching, "LOOK_S", 0.0)
    figures = Figures(Unavailable("away", "store_unavailable"), ValueError("secret-cell"))

    async with beside(_watch_queue(figures, figures)):
        await asyncio.wait_for(figures.shown.wait(), 20)

    assert "ValueError" in caplog.text
    assert "secret-cell" not in caplog.text


async def test_one_that_begins_while_the_head_is_silent_ends_its_process_to_be_started_again(monkeypatch):
    def find() -> None:
        raise GetTimeoutError("the GCS server is dead or under high load")

    monkeypatch.setattr(dispatching, "metadata_store", find)
    monkeypatch.setattr(dispatching, "write_logs", lambda _: None)
    monkeypatch.setattr(dispatching, "RayLauncher", lambda _: None)
    monkeypatch.setattr(os, "_exit", sys.exit)

    with pytest.raises(SystemExit):
        DispatcherActor(Settings(), "of a test")
