"""Calibration: what a network draws has the distributions of the table's columns, which are known.

Given a latent, columns are drawn independently of each other. So each column's codes are set right by offsets on their
logits, which are the factors of iterative proportional fitting, and its numbers by a rising map from quantile to
quantile. Both are small tables, applied row by row.
Source: Deming & Stephan 1940, "On a least squares adjustment of a sampled frequency table".
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from synthgen_ray.synthesizers.codec import Encoded, TableCodec
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.number import NumberCodec
from synthgen_ray.synthesizers.columns.quantile_map import QuantileMap
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.sampling.categorical import offsets
from synthgen_ray.synthesizers.sampling.conditions import Drawn, Heads

OFFSET_ROWS = 20_000
MOST_LOGITS = 20_000_000  # held at once
MOST_DRAWN_FROM = 4_000_000  # logits, for which a draw takes several times the memory
MAP_ROWS = 50_000
LEAST_ROWS, TIMES_THE_TABLE = 10_000, 10  # more rows say no more of a small table
MOST_CELLS = 1000

Propose = Callable[[int], Heads]
Draw = Callable[[int], Drawn]


def with_offsets(codec: TableCodec, layout: Layout, encoded: Encoded, propose: Propose) -> TableCodec:
    """Each code of each column becomes as frequent as in the table."""
    enough = min(OFFSET_ROWS, max(LEAST_ROWS, TIMES_THE_TABLE * len(encoded.codes)))
    heads = propose(min(enough, MOST_LOGITS // layout.width + 1))
    columns = []
    for place, column in enumerate(codec.learnt):
        counts = np.bincount(encoded.codes[:, place], minlength=column.width)
        logits = heads.logits_BD.T[layout.spans[place]]
        columns.append(column.model_copy(update={"offsets": tuple(offsets(logits, counts / counts.sum()).tolist())}))
    return codec.with_learnt(columns)


def with_quantile_maps(codec: TableCodec, layout: Layout, table: pa.Table, k: int, draw: Draw) -> TableCodec:
    """The numbers of each column become distributed as in the table."""
    places = [place for place, column in enumerate(codec.learnt) if isinstance(column, NumberCodec)]
    if not places:
        return codec
    drawn: list[list[np.ndarray]] = [[] for _ in places]
    enough = min(MAP_ROWS, max(LEAST_ROWS, TIMES_THE_TABLE * table.num_rows))
    piece = MOST_DRAWN_FROM // layout.width + 1
    for start in range(0, enough, piece):
        rows = draw(min(piece, enough - start))
        for number, (place, column) in enumerate(zip(places, codec.numbers, strict=True)):
            present = rows.codes_BK[:, place] < len(column.modes_or_fail)
            codes, scalars = rows.codes_BK[present, place], rows.scalars_BS[present, number]
            drawn[number].append(column.numbers(codes, scalars))
    return codec.with_learnt(
        [
            _mapped(column, np.concatenate(parts), column.column_of(table), k)
            for column, parts in zip(codec.numbers, drawn, strict=True)
        ]
    )


def _mapped(column: NumberCodec, drawn: np.ndarray, values: pa.ChunkedArray, k: int) -> NumberCodec:
    if len(drawn) < 2 * k:  # too few to say how they are distributed
        return column
    known = column.marginal
    target = (
        known
        if isinstance(known, Marginal)
        else Marginal.learn(column.form.forward(column.plain(values).drop_null()), k)
    )
    return column.model_copy(
        update={"calibration": QuantileMap(source=Marginal.learn(drawn, k, MOST_CELLS), target=target)}
    )
