"""What the dispatcher's process does beside its work."""

import asyncio

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.runtime import dispatcher as dispatching
from synthgen_ray.runtime.dispatcher import _watch_queue
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
