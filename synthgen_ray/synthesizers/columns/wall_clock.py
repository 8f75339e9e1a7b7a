"""Moments that are on a grid by the clocks of their zone and on a finer one by UTC, as midnights are: summer time moves
them."""

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.stored import Stored


class WallClock(Stored):
    """What clocks show is `origin + step * n`, in the unit of the column."""

    step: int = Field(ge=2, lt=2**63)
    origin: int = Field(ge=0)

    @model_validator(mode="after")
    def _is_a_grid(self) -> Self:
        if self.origin >= self.step:
            raise ValueError("not a grid")
        return self

    def nearest(self, moments: pa.Array, low: np.ndarray | int, high: np.ndarray | int) -> pa.Array:
        """The moments of the grid that are nearest, between bounds; where none of the two beside it is, the moment."""
        found, shown = arrow.integers(moments), arrow.integers(shown_by_clocks(moments))
        before = shown - (shown - self.origin) % self.step
        earlier, later = (first_shown(place, moments.type) for place in (before, before + self.step))
        is_earlier = found - earlier <= later - found
        for beside in (np.where(is_earlier, later, earlier), np.where(is_earlier, earlier, later)):
            found = np.where((low <= beside) & (beside <= high), beside, found)
        return arrow.of_integers(found, moments.type)


def shown_by_clocks(moments: pa.Array) -> pa.Array:
    return pc.local_timestamp(moments)


def first_shown(shown: np.ndarray, type_: pa.DataType) -> np.ndarray:
    """When clocks show this; of an hour that they show twice it is the first, of one that they leave out its end."""
    local = arrow.of_integers(shown, pa.timestamp(type_.unit))
    return arrow.integers(pc.assume_timezone(local, type_.tz, ambiguous="earliest", nonexistent="latest"))
