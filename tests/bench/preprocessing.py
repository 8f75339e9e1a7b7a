"""From a table to the numbers that a network is trained on: modes learnt, rows encoded."""

from collections.abc import Callable

import numpy as np
from ctgan.data_transformer import DataTransformer

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.synthesizers import CTGAN
from synthgen_ray.synthesizers.codec import CodecOptions, TableCodec
from tests.bench.rows import SEED, Bench, Figure, Row, repeated
from tests.bench.stock import discrete_columns


def _of(rows: int) -> Callable[[Bench], Figure]:
    def measure(bench: Bench) -> Figure:
        table = repeated(bench.task, bench.rows(rows))
        frame = table.to_pandas()

        def ours() -> None:
            options = CodecOptions(k=5, most_categories=1000, maps=CTGAN.maps)
            codec = TableCodec.learn(table, table, infer_columns(table), options, np.random.default_rng(SEED))
            codec.encode(table, np.random.default_rng(SEED))

        def peer() -> None:
            transformer = DataTransformer()
            transformer.fit(frame, discrete_columns(frame))
            transformer.transform(frame)

        return bench.timed(ours, peer)

    return measure


ROWS = (
    Row("preprocessing, 30,000 rows", _of(30_000), "30x", "50x"),
    Row("preprocessing, 300,000 rows", _of(300_000), "60x", "120x"),
)
