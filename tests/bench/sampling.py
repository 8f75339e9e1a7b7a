"""Drawing rows from trained models, and writing a million of them to a file."""

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from synthgen_ray.datasets.writing import write_csv
from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.numerics.blas import spread
from tests.bench.rows import BARE, IN_FLOATS, REFINED, SEED, Bench, Figure, Row

EPOCHS = 10  # what a row costs does not depend on how well it was learnt


def _sample(model_type: ModelType, **options: Any) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        epochs = bench.epochs(EPOCHS)
        model, stock = bench.model(model_type, epochs, **options), bench.stock(model_type, epochs)
        rows = bench.rows(30_000)
        return bench.timed(lambda: model.sample(rows, seed=SEED), lambda: stock.sample(rows))

    return measure


def _to_csv(model_type: ModelType, **options: Any) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        epochs = bench.epochs(EPOCHS)
        model, stock = bench.model(model_type, epochs, **options), bench.stock(model_type, epochs)
        rows = bench.rows(1_000_000)
        with tempfile.TemporaryDirectory() as folder:
            ours, peers = Path(folder) / "ours.csv", Path(folder) / "peers.csv"
            return bench.timed(lambda: write(model, rows, ours), lambda: stock.sample(rows).to_csv(peers, index=False))

    return measure


def write(model: Synthesizer, rows: int, path: Path) -> None:
    """As a generation job does it: chunk by chunk, several at once."""

    def written(chunk: tuple[int, int]) -> bytes:
        text = BytesIO()
        write_csv(model.sample_chunk(*chunk, SEED), model.columns, text, header=chunk[0] == 0)
        return text.getvalue()

    with path.open("wb") as sink:
        sink.writelines(spread(written, chunks(rows, model.chunk_rows)))


# Each type at its default, and in other ways.
NETWORKS_WAYS = {"not refined": BARE, "in floats": IN_FLOATS, "not refined, in floats": BARE | IN_FLOATS}
KINDS = {
    "Gaussian copula": (ModelType.GAUSSIAN_COPULA, {"refined": REFINED}, "15x", "30x"),
    "CTGAN": (ModelType.CTGAN, NETWORKS_WAYS, "3x", "6x"),
    "TVAE": (ModelType.TVAE, NETWORKS_WAYS, "2x", "3x"),
}
FILES = {
    "CTGAN": (ModelType.CTGAN, NETWORKS_WAYS, "3.5x", "6x"),
    "Gaussian copula": (ModelType.GAUSSIAN_COPULA, {"refined": REFINED}, "12x", "20x"),
}
ROWS = tuple(
    Row(", ".join(filter(None, (f"{name} {what}", way))), group(model_type, **options), must, aim)
    for group, what, kinds in ((_sample, "sample, 30,000 rows", KINDS), (_to_csv, "1,000,000 rows to CSV", FILES))
    for name, (model_type, other_ways, must, aim) in kinds.items()
    for way, options in {"": {}, **other_ways}.items()
)
