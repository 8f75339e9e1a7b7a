"""Drawing rows from trained models, and writing a million of them to a file."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from synthgen_ray.datasets.writing import write_csv
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.streams import chunks
from tests.bench.rows import SEED, Bench, Figure, Row

EPOCHS = 10  # what a row costs does not depend on how well it was learnt


def _sample(model_type: ModelType) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        model, stock = bench.model(model_type, bench.epochs(EPOCHS)), bench.stock(model_type, bench.epochs(EPOCHS))
        rows = bench.rows(30_000)
        return bench.timed(lambda: model.sample(rows, seed=SEED), lambda: stock.sample(rows))

    return measure


def _to_csv(model_type: ModelType) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        model, stock = bench.model(model_type, bench.epochs(EPOCHS)), bench.stock(model_type, bench.epochs(EPOCHS))
        rows = bench.rows(1_000_000)
        with tempfile.TemporaryDirectory() as folder:
            ours, peers = Path(folder) / "ours.csv", Path(folder) / "peers.csv"
            return bench.timed(
                lambda: _write(model, rows, ours),
                lambda: stock.sample(rows).to_csv(peers, index=False),
                times=1,
            )

    return measure


def _write(model: Synthesizer, rows: int, path: Path) -> None:
    """As a generation job does it: chunk by chunk."""
    with path.open("wb") as sink:
        for index, size in chunks(rows, model.chunk_rows):
            write_csv(model.sample_chunk(index, size, SEED), model.columns, sink, header=index == 0)


ROWS = (
    Row("Gaussian copula sample, 30,000 rows", _sample(ModelType.GAUSSIAN_COPULA), "15x", "30x"),
    Row("CTGAN sample, 30,000 rows", _sample(ModelType.CTGAN), "3x", "6x"),
    Row("TVAE sample, 30,000 rows", _sample(ModelType.TVAE), "2x", "3x"),
    Row("CTGAN 1,000,000 rows to CSV", _to_csv(ModelType.CTGAN), "3.5x", "6x"),
    Row("Gaussian copula 1,000,000 rows to CSV", _to_csv(ModelType.GAUSSIAN_COPULA), "12x", "20x"),
)
