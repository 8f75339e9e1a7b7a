"""Text that only tells rows apart: not learnt, made afresh, unique over a whole job, none from the table.

Numbers that do so are in `number_ids`."""

import string
from itertools import chain
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.errors import JobError
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.permutation import mix
from synthgen_ray.synthesizers.columns.seen import Seen
from synthgen_ray.synthesizers.columns.shape import MOST_EXTRA, MOST_PLACES, MOST_SHAPES, Shape, shapes_of
from synthgen_ray.synthesizers.columns.stored import Count, Kind, Share, Stored, TextTypeName

LEAST_OF_A_SHAPE = 2  # ids, though k be 1: that of one id alone is the id


class CodeCodec(Stored):
    """Text ids: new codes of the table's shapes, as often as the table has them.

    A code is `shape.write(place)`. A row's places in its shape are its number in the job and, part by part of the
    shape, further on; if all those codes are in the table, or the shape is too small for so many rows, it looks where
    fewer zeros fill the numbers up, then in the longest shape made longer. All places of all rows differ and no two
    shapes meet, so all ids differ.
    """

    kind: Literal["code"] = "code"
    name: str
    column_kind: Kind = ColumnKind.ID
    arrow_type: TextTypeName
    shapes: tuple[Shape, ...] = Field(min_length=1, max_length=MOST_SHAPES)
    counts: tuple[Count, ...]
    null_share: Share
    seen: Seen

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if len(self.shapes) != len(self.counts):
            raise ValueError("shapes and counts do not fit together")
        return self

    @classmethod
    def learn(cls, name: str, column: pa.ChunkedArray, k: int, rng: np.random.Generator) -> Self:
        array = arrow.plain(column).cast(pa.string())
        texts = array.unique().drop_null()  # an id that many rows share is still one id
        lengths = pc.utf8_length(texts).to_numpy()
        usual = min(max(int(np.median(lengths)), 1), MOST_PLACES)
        found = shapes_of(texts, max(k, LEAST_OF_A_SHAPE)) or [(Shape(alphabets=(string.digits,) * usual), 1)]
        return cls(
            name=name,
            arrow_type=str(arrow.for_fresh(column.type)),
            shapes=tuple(shape for shape, _ in found),
            counts=tuple(count for _, count in found),
            null_share=arrow.kept_nulls(array, k) / len(array),
            seen=Seen.nothing(rng),
        )

    def to_avoid(self, column: pa.ChunkedArray) -> pa.Array:
        return arrow.plain(column).cast(pa.string())

    @property
    def learned(self) -> LearnedColumn:
        widest = max(shape.widest for shape in self.shapes) + MOST_EXTRA
        return LearnedColumn(self.name, ColumnKind.ID, self.null_share > 0, widest=widest)

    def make(self, rows: np.ndarray, key: int, rng: np.random.Generator) -> pa.Array:
        """Ids of the rows with these numbers in a job; the key is the job's."""
        texts = np.empty(len(rows), dtype=object)
        open_ = np.arange(len(rows))
        chosen = self._chosen(rows, key)
        left = []
        for place, shape in enumerate(self.shapes):
            mine = open_[chosen == place]
            for each in chain([shape], shape.fuller()):
                mine = self._write(each, mine, rows, key + place, texts)
            left.append(mine)
        open_ = np.concatenate(left)
        longest = max(self.shapes, key=lambda shape: len(shape.alphabets))
        for extra in range(1, MOST_EXTRA + 1):
            if len(open_) == 0:
                break
            open_ = self._write(longest.longer(extra), open_, rows, key + MOST_SHAPES + extra, texts)
        else:  # some look finds one, so this is a file that was touched
            raise JobError(f"Column {self.name!r}: no new ids were found.", "ids_exhausted")
        null = rng.random(len(rows)) < self.null_share
        return arrow.as_type(pa.array(texts, pa.string(), mask=null), arrow.type_of(self.arrow_type))

    def _chosen(self, rows: np.ndarray, key: int) -> np.ndarray:
        """A shape for each row, by the shapes' counts, whatever chunk the row is made in."""
        ends = np.cumsum(self.counts) / sum(self.counts)
        chance = mix(rows.astype(np.uint64) ^ np.uint64(key)).astype(np.float64) / 2.0**64
        return np.minimum(np.searchsorted(ends, chance, side="right"), len(self.shapes) - 1)

    def _write(self, shape: Shape, open_: np.ndarray, rows: np.ndarray, key: int, texts: np.ndarray) -> np.ndarray:
        """Give the open rows codes of a shape; returns those that found none."""
        looks = self.seen.looks_in(shape.size)
        part = shape.size // looks
        for look in range(looks):
            fitting = open_[rows[open_] < part]
            made = shape.write(rows[fitting] + look * part, key)
            new = ~self.seen.contains(made)
            texts[fitting[new]] = made[new]
            open_ = np.setdiff1d(open_, fitting[new], assume_unique=True)
        return open_
