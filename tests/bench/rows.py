"""What a row of the benchmark is, and how it is timed."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer, create
from tests.bench.stock import Stock, given_stock
from tests.bench.tables import Task, generated

SEED = 1
# What the peers do, and no more: rows are not brought closer to the table once the model stands.
BARE: dict[str, Any] = {"refine": False}
REFINED: dict[str, Any] = {"refine": True}
# Training's products of matrices in 16 bits, where the processor has units for it.
NARROW: dict[str, Any] = {"precision": "bf16"}
# Rows drawn by products of floats.
IN_FLOATS: dict[str, Any] = {"quantize": False}
WARM_UP_ROWS = 1000


@dataclass(frozen=True)
class Figure:
    """What was measured of both sides; the peer's is None where there is none."""

    ours: float
    peer: float | None
    unit: str  # "s", "ms", "GiB", "values": the less the better; "rows/s", "requests/s", "score": the more
    note: str = ""
    ratio: float | None = None  # how many times better, where pairs of runs tell that better than both figures

    @classmethod
    def of_pairs(cls, pairs: Sequence[tuple[float, float]], unit: str, note: str = "") -> Self:
        """Medians of each side's, and of the ratios of one run and the peer's beside it: what slows the machine down
        for minutes meets both."""
        ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
        return cls(ours, peer, unit, note, statistics.median(times_better(*pair, unit) for pair in pairs))

    @property
    def gain(self) -> str:
        """How many times better; of scores, how much higher."""
        if self.peer is None:
            return "–"
        if self.unit == "score":
            return f"{self.ours - self.peer:+.3f}"
        ratio = times_better(self.ours, self.peer, self.unit) if self.ratio is None else self.ratio
        return f"{ratio:.1f}x" if ratio < math.inf else "∞"


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
        return Figure.of_pairs(self.pairs(ours, peer), "s")

    def pairs(self, ours: Callable[[], Any], peer: Callable[[], Any], each: int = 1) -> list[tuple[float, float]]:
        """The seconds of both sides, taken in turn; what is quick is run `each` times as often."""
        return [(seconds(ours), seconds(peer)) for _ in range(each * self.times)]


def times_better(ours: float, peer: float, unit: str) -> float:
    if unit.endswith("/s"):
        return ours / peer if peer else math.inf
    return peer / ours


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
