"""Numbers that a column keeps in another type: written as text, in a dictionary, or whole ones as decimals."""

from typing import Annotated, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.stored import RoomyTypeName, Stored
from synthgen_ray.synthesizers.columns.whole import EXACT

NUMBER = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$"  # leading zeros make a code


def are_long_integers(column: pa.ChunkedArray) -> bool:
    """Whether a column of decimals has whole numbers that no float holds and integers of 64 bits do."""
    if not pa.types.is_decimal(column.type) or column.type.scale != 0:
        return False
    if arrow.is_narrow_decimal(column.type):
        column = column.cast(arrow.ANY_INTEGER)
    ends = pc.min_max(column)
    largest = max(abs(int(end or 0)) for end in ends.as_py().values())
    return EXACT < largest < 2**63


class Wrapped(Stored):
    """`blank` is the one text that stands for a missing number, or for one that is too small to be told; `decimals` are
    written whether zero or not."""

    arrow_type: RoomyTypeName
    blank: str | None = None
    decimals: Annotated[int, Field(ge=0, le=15)] | None = None

    @classmethod
    def find(cls, column: pa.ChunkedArray, k: int) -> Self | None:
        """How the column keeps numbers, if it keeps some and nothing else."""
        if are_long_integers(column):
            return cls(arrow_type=str(column.type))
        if pa.types.is_dictionary(column.type) and not arrow.is_text(column.type):
            return cls(arrow_type=str(arrow.for_fresh(column.type)))
        if not arrow.is_text(column.type):
            return None
        texts = arrow.plain(column).drop_null()
        is_number = pc.match_substring_regex(texts, NUMBER)
        others = texts.filter(pc.invert(is_number))
        is_word = len(others.unique()) == 1 and not others[0].as_py().isdigit()  # digits with a zero before them: codes
        has_blank = is_word and len(others) >= k and column.null_count == 0
        if len(texts) - len(others) < k or (len(others) and not has_blank):
            return None
        numbers = texts.filter(is_number)
        points = pc.find_substring(numbers, ".").to_numpy()
        decimals = np.unique(np.where(points < 0, 0, pc.utf8_length(numbers).to_numpy() - points - 1))
        return cls(
            arrow_type=str(arrow.for_fresh(column.type)),
            blank=others[0].as_py() if has_blank else None,
            decimals=int(decimals[0]) if len(decimals) == 1 else None,
        )

    @property
    def plain_type(self) -> pa.DataType:
        """What `unwrap` gives."""
        type_ = arrow.type_of(self.arrow_type)
        if pa.types.is_decimal(type_):
            return pa.int64()
        if not arrow.is_text(type_):
            return arrow.value_type(type_)
        return pa.int64() if self.decimals == 0 else pa.float64()

    def unwrap(self, column: pa.ChunkedArray) -> pa.Array:
        array = arrow.plain(column)
        if not arrow.is_text(array.type):
            return array.cast(self.plain_type)
        if self.blank is not None:
            array = pc.if_else(pc.equal(array, self.blank), pa.scalar(None, array.type), array)
        return array.cast(self.plain_type)

    def wrap(self, numbers: pa.Array) -> pa.Array:
        type_ = arrow.type_of(self.arrow_type)
        if pa.types.is_decimal(type_):
            return numbers.cast(arrow.ANY_INTEGER).cast(type_)
        if not arrow.is_text(type_):
            return arrow.as_type(numbers, type_)
        texts = self._texts(numbers)
        return arrow.as_type(texts if self.blank is None else texts.fill_null(self.blank), type_)

    def _texts(self, numbers: pa.Array) -> pa.Array:
        if self.decimals == 0:
            return numbers.cast(pa.string())
        present = numbers.fill_null(0.0).to_numpy() + 0.0  # no minus before a zero
        if self.decimals is not None:
            written = pa.array(np.char.mod(f"%.{self.decimals}f", present))
        else:
            texts = np.char.mod("%.15g", present).astype("<U32")
            for place in np.flatnonzero(np.char.find(texts, "e") >= 0):  # as the table has it: without an exponent
                texts[place] = np.format_float_positional(float(texts[place]), trim="-")
            written = pc.replace_substring_regex(pa.array(texts), r"\.0+$", "")
        return pc.if_else(numbers.is_valid(), written, pa.scalar(None, pa.string()))
