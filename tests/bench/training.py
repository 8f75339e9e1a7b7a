"""Training: a step, a fit end to end, the time to the quality of the stock package after its 300 epochs."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.params import ModelType
from tests.bench.quality import published_scores, scored
from tests.bench.rows import BARE, NARROW, REFINED, SEED, Bench, Figure, Row, given_model, repeated, seconds
from tests.bench.scores import Scores, scores
from tests.bench.stock import StockNetwork, given_stock

BATCH = 500
CLOCKED_EPOCHS = 3
STOCK_EPOCHS = 300
LADDER = (2, 5, 10, 20, 30, 60, 100, 200, 300)


class EpochClock:
    """Hears of a training's progress: how long an epoch takes once the first one is over."""

    def __init__(self) -> None:
        self._heard: list[tuple[float, float]] = []

    def __call__(self, progress: Progress) -> None:
        if progress.message.startswith("epoch"):
            self._heard.append((time.perf_counter(), progress.fraction))

    def epoch_s(self, epochs: int) -> float:
        (start, first), (end, last) = self._heard[0], self._heard[-1]
        return (end - start) / ((last - first) * epochs)


def _step(model_type: ModelType, **options: Any) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        table = repeated(bench.task, bench.rows(30_000))
        frame, steps = table.to_pandas(), table.num_rows // BATCH
        pairs = []
        # A quick look does without the compiler, which takes a minute: `test_game` sees that it runs.
        chosen = {name: value for name, value in options.items() if not (bench.quick and name == "compile")}
        for _ in range(bench.times):
            clock = EpochClock()
            given_model(model_type, CLOCKED_EPOCHS, **BARE, **chosen).fit(table, on_progress=clock)
            peer: StockNetwork = given_stock(model_type, CLOCKED_EPOCHS).fit(frame)
            epochs_s = clock.epoch_s(CLOCKED_EPOCHS), statistics.mean(peer.epoch_s[1:])
            pairs.append((1000 * epochs_s[0] / steps, 1000 * epochs_s[1] / steps))
        return Figure.of_pairs(pairs, "ms")

    return measure


def _fit(model_type: ModelType, epochs: int, **options: Any) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        wanted = bench.epochs(epochs)
        return bench.timed(
            lambda: given_model(model_type, wanted, **options).fit(bench.task.arrow),
            lambda: given_stock(model_type, wanted).fit(bench.task.train),
        )

    return measure


def _time_to_quality(model_type: ModelType) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        stock, peer_s, how = _stock_after_300(bench, model_type)

        def own_s(epochs: int) -> float:
            return seconds(lambda: given_model(model_type, epochs).fit(bench.task.arrow))

        for epochs in LADDER[:1] if bench.quick else LADDER:
            own = scored(bench.task, given_model(model_type, epochs).fit(bench.task.arrow), SEED)
            if own.shapes >= stock.shapes and own.pairs >= stock.pairs:
                pairs = [(own_s(epochs), peer_s()) for _ in range(bench.times)]
                return Figure.of_pairs(pairs, "s", f"{epochs} epochs; {how}")
        return Figure(float("inf"), peer_s(), "s", f"not reached in {LADDER[-1]} epochs; {how}")

    return measure


def _stock_after_300(bench: Bench, model_type: ModelType) -> tuple[Scores, Callable[[], float], str]:
    """Scores of the stock package, and its seconds. 300 epochs take it half an hour: where SDV published its rows,
    these are scored, and the seconds are those of the preprocessing and of 300 times one epoch. Elsewhere it is trained
    once."""
    epochs = bench.epochs(STOCK_EPOCHS)
    if bench.folder is not None and bench.task.name == "adult" and not bench.quick:

        def reckoned() -> float:
            some: StockNetwork = given_stock(model_type, CLOCKED_EPOCHS)
            taken = seconds(lambda: some.fit(bench.task.train))
            return taken + statistics.mean(some.epoch_s[1:]) * (epochs - CLOCKED_EPOCHS)

        return published_scores(bench.folder, bench.task, model_type), reckoned, "the peer's rows as published"
    trained: StockNetwork = given_stock(model_type, epochs)
    taken = seconds(lambda: trained.fit(bench.task.train))
    made = trained.sample(len(bench.task.train))
    return scores(bench.task.train, bench.task.holdout, made), lambda: taken, f"the peer trained {epochs} epochs once"


ROWS = (
    Row("CTGAN step, fp32 eager", _step(ModelType.CTGAN), "2.3x", "2.6x"),
    Row("CTGAN step, fp32 compiled", _step(ModelType.CTGAN, compile=True), "2.8x", "3.4x"),
    Row("CTGAN step, bf16", _step(ModelType.CTGAN, **NARROW)),
    Row("TVAE step", _step(ModelType.TVAE), "1.6x", "2.3x"),
    Row("TVAE step, bf16", _step(ModelType.TVAE, **NARROW)),
    Row("CTGAN fit, 30 epochs", _fit(ModelType.CTGAN, 30), "2.5x", "3.5x"),
    Row("CTGAN fit, 30 epochs, not refined", _fit(ModelType.CTGAN, 30, **BARE), "2.5x", "3.5x"),
    Row("CTGAN fit, 30 epochs, bf16", _fit(ModelType.CTGAN, 30, **NARROW), "2.5x", "3.5x"),
    Row("Gaussian copula fit", _fit(ModelType.GAUSSIAN_COPULA, 0), "50x", "100x"),
    Row("Gaussian copula fit, refined", _fit(ModelType.GAUSSIAN_COPULA, 0, **REFINED)),
    Row("CTGAN time to the quality of stock at 300 epochs", _time_to_quality(ModelType.CTGAN), "10x", "30x"),
    Row("TVAE time to the quality of stock at 300 epochs", _time_to_quality(ModelType.TVAE), "10x", "30x"),
)
