"""Rows of a rare category: ours obey every time; the peers draw and throw away, as SDV does."""

import statistics
from collections.abc import Callable

import pandas as pd

from synthgen_ray.domain.params import ModelType
from tests.bench.rows import SEED, Bench, Figure, Row
from tests.bench.sampling import EPOCHS
from tests.bench.stock import Stock, StockNetwork, discrete_columns

SHARE = 0.0005
TRIES = 100  # SDV's max_tries_per_batch
ASKED = 100


def rare_category(table: pd.DataFrame) -> tuple[str, str]:
    """Column and category whose share is nearest to 0.05 %, of those that are learnt at all."""
    shares = {
        (name, value): count / len(table)
        for name in discrete_columns(table)
        for value, count in table[name].value_counts().items()
        if count >= 10
    }
    return min(shares, key=lambda key: abs(shares[key] - SHARE))


def _rate(model_type: ModelType) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        column, value = rare_category(bench.task.train)
        model, stock = bench.model(model_type, bench.epochs(EPOCHS)), bench.stock(model_type, bench.epochs(EPOCHS))
        rows = bench.rows(10_000)
        found: list[int] = []
        pairs = bench.pairs(
            lambda: model.sample(rows, seed=SEED, conditions={column: value}),
            lambda: found.append(_obeying(stock, column, value, bench.rows(ASKED))),
        )
        rates = [(rows / own_s, count / peer_s) for (own_s, peer_s), count in zip(pairs, found, strict=True)]
        note = f"{column} = {value}; the peer found {statistics.mean(found):.0f} of {ASKED}"
        return Figure.of_pairs(rates, "rows/s", note)

    return measure


def _obeying(stock: Stock, column: str, value: str, asked: int) -> int:
    """How many rows of the category the peer finds within SDV's number of tries."""
    found = 0
    for _ in range(TRIES):
        if isinstance(stock, StockNetwork):
            rows = stock.sample_towards(10 * asked, column, value)
        else:
            rows = stock.sample(10 * asked)
        found += int((rows[column] == value).sum())
        if found >= asked:
            return asked
    return found


ROWS = tuple(
    Row(f"conditional, a category of 0.05 %, {name}", _rate(model_type), "100x, never empty", "1,000x")
    for name, model_type in (
        ("CTGAN", ModelType.CTGAN),
        ("TVAE", ModelType.TVAE),
        ("Gaussian copula", ModelType.GAUSSIAN_COPULA),
    )
)
