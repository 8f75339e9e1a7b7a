"""What a row of the benchmark is, and how it is timed."""

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer, create
from tests.bench.stock import Stock, given_stock
from tests.bench.tables import Task, generated

SEED = 1
# What the peers do, and no more: rows are not brought closer to the table once the model stands.
BARE: dict[str, Any] = {"refine": False}
REFINED: dict[str, Any] = {"refine": True}
# Products of matrices in 16 bits, where the processor has units for it.
NARROW: dict[str, Any] = {"precision": "bf16"}
WARM_UP_ROWS = 1000


@dataclass(frozen=True)
class Figure:
    """What was measured of both sides; the peer's is None where there is none."""

    ours: float
    peer: float | None
    unit: str  # "s", "ms", "GiB", "values": the less the better; "rows/s", "requests/s", "score": the more
    note: str = ""

    @property
    def gain(self) -> str:
        """How many times better; of scores, how much higher."""
        if self.peer is None:
            return "–"
        if self.unit == "score":
            return f"{self.ours - self.peer:+.3f}"
        if self.unit.endswith("/s"):
            return f"{self.ours / self.peer:.1f}x" if self.peer else "∞"
        return f"{self.peer / self.ours:.1f}x"


@dataclass(frozen=True)
class Row:
    name: str
    measure: "Callable[[Bench], Figure]"
    must: str = ""
    aim: str = ""


@dataclass(frozen=True)
class Bench:
    """What was asked for, and the models that several rows share. `quick` shrinks everything, to see that it runs."""

    tasks: dict[str, Task]
    folder: Path | None  # of the real tables
    results: Path  # of the quality rows, a line each
    times: int
    quick: bool
    seeds: tuple[int, ...]
    held: ExitStack  # what is to be closed in the end
    shared: dict[str, Any] = field(default_factory=dict)  # what several rows measure
    _models: dict[tuple[str, int], Any] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        return next(iter(self.tasks.values()))

    def rows(self, wanted: int) -> int:
        return min(wanted, 500) if self.quick else wanted

    def epochs(self, wanted: int) -> int:
        return min(wanted, 2) if self.quick else wanted

    def model(self, model_type: ModelType, epochs: int, **options: Any) -> Synthesizer:
        """Ours, trained once on the main table."""
        key = (f"our {model_type} {options}", epochs)
        if key not in self._models:
            self._models[key] = given_model(model_type, epochs, **options).fit(self.task.arrow)
        model: Synthesizer = self._models[key]
        return model

    def stock(self, model_type: ModelType, epochs: int) -> Stock:
        """The peer, trained once on the main table."""
        key = (f"stock {model_type}", epochs)
        if key not in self._models:
            self._models[key] = given_stock(model_type, epochs).fit(self.task.train)
        stock: Stock = self._models[key]
        return stock

    def timed(self, ours: Callable[[], Any], peer: Callable[[], Any]) -> Figure:
        return Figure(*self.medians(ours, peer), "s")

    def medians(self, ours: Callable[[], Any], peer: Callable[[], Any]) -> tuple[float, float]:
        """Of each side's seconds, taken in turn, so that both see the same machine."""
        taken: tuple[list[float], list[float]] = ([], [])
        for _ in range(self.times):
            for side, run in zip(taken, (ours, peer), strict=True):
                side.append(seconds(run))
        return statistics.median(taken[0]), statistics.median(taken[1])


def given_model(model_type: ModelType, epochs: int, seed: int = SEED, **options: Any) -> Synthesizer:
    if model_type is not ModelType.GAUSSIAN_COPULA:
        options["epochs"] = epochs
    # Of the whole table, as its peers: what they are compared on is kept apart by the bench.
    return create(model_type, {"holdout_fraction": 0.0, **options, "seed": seed})


def warm_up() -> None:
    """Both sides once on a little table: the peers start worker processes, libraries load."""
    frame = generated(WARM_UP_ROWS)
    for model_type in (ModelType.GAUSSIAN_COPULA, ModelType.TVAE, ModelType.CTGAN):
        given_stock(model_type, epochs=1).fit(frame).sample(1)
        given_model(model_type, epochs=1).fit(frame).sample(1)


def seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


@cache
def repeated(task: Task, rows: int) -> pa.Table:
    """As many rows of a table as asked for, again and again where it has fewer."""
    places = [place % task.arrow.num_rows for place in range(rows)]
    return task.arrow.take(places)
