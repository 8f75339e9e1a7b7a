"""Dates and times that a column keeps as text, all in one format."""

from contextlib import suppress
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import model_validator

from synthgen_ray.datasets.date_formats import is_format
from synthgen_ray.datasets.datetime_text import datetimes_as_text
from synthgen_ray.datasets.text_dates import NotDates, dates_of
from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.stored import Stored, TextTypeName, TypeName


class WrittenMoments(Stored):
    """`moment_type` is what the text is read as, `format` how it is written, as `Column.format` has it."""

    arrow_type: TextTypeName
    moment_type: TypeName
    format: str

    @model_validator(mode="after")
    def _are_moments(self) -> Self:
        if not is_format(self.format) or not moments.is_moment(arrow.type_of(self.moment_type)):
            raise ValueError("not dates or times")
        return self

    @classmethod
    def find(cls, column: pa.ChunkedArray, declared: str | None = None) -> Self | None:
        """How the column keeps moments, if it keeps nothing else; `declared` tells days from months.

        Only where each is written again as it was: part of a column reads as the whole does then. In the declared
        format rather than in one that only these texts have, which may all have two digits.
        """
        if declared and not is_format(declared):
            return None
        cells = arrow.plain(column).cast(pa.string())
        try:
            values, written = _read(cells, declared)
        except (NotDates, pa.ArrowException):
            return None
        for format in dict.fromkeys((declared or written, written)):
            found = cls(arrow_type=str(arrow.for_fresh(column.type)), moment_type=str(values.type), format=format)
            with suppress(pa.ArrowException):  # `%z` reads any zone, and writes none
                if found._writes(values, cells):
                    return found
        return None

    @property
    def plain_type(self) -> pa.DataType:
        """What `unwrap` gives."""
        return arrow.type_of(self.moment_type)

    @property
    def blank(self) -> None:
        """No text stands for a missing moment: null does."""
        return None

    def unwrap(self, column: pa.ChunkedArray) -> pa.Array:
        """Raises: ArrowInvalid, where a text is none that `wrap` writes."""
        array = arrow.plain(column)
        if array.null_count == len(array):
            return pa.nulls(len(array), self.plain_type)
        cells = array.cast(pa.string())
        try:
            values, _ = _read(cells, self.format)
        except NotDates as why:
            raise pa.ArrowInvalid(why.reason) from None
        if values.type != self.plain_type or not self._writes(values, cells):
            raise pa.ArrowInvalid("holds dates in another format")
        return values

    def wrap(self, numbers: pa.Array) -> pa.Array:
        return arrow.as_type(self._texts(numbers), arrow.type_of(self.arrow_type))

    def _texts(self, values: pa.Array) -> pa.Array:
        return datetimes_as_text(values, self.format)

    def _writes(self, values: pa.Array, cells: pa.Array) -> bool:
        return bool(pc.all(pc.equal(self._texts(values), cells)).as_py())


def _read(cells: pa.Array, declared: str | None) -> tuple[pa.Array, str]:
    """The moments and their format. Raises: NotDates."""
    values, written, _ = dates_of(pa.chunked_array([cells]), declared)
    return values.combine_chunks(), written
