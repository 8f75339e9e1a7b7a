"""Asked cells of which several values may be. Where several columns are asked for, these are redrawn among what may be
in them: the model that is refined knows less of how they go together.

Shapes: B rows, W codes of a column, R ranges, P pieces: the parts of bins that are inside of the ranges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from synthgen_ray.synthesizers.codec import Cells, LearntCodec
from synthgen_ray.synthesizers.columns.bins import Bins
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryTarget
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec, NumberTarget

Target = CategoryTarget | NumberTarget


@dataclass(frozen=True)
class AllowedCategories:
    """`weights` (W,) is how much of each code may be."""

    weights: np.ndarray

    def redrawn(self, cells: Cells, before_B: np.ndarray, after_B: np.ndarray, rng: np.random.Generator) -> Cells:  # noqa: ARG002 - as of numbers
        return replace(cells, codes=after_B) if isinstance(cells, CategoryCells) else cells


@dataclass(frozen=True)
class AllowedNumbers:
    """`weights` (W,) is how much of each code may be; a code's pieces are neighbours."""

    weights: np.ndarray
    target: NumberTarget
    bins: Bins
    codes: np.ndarray  # (P,): rising
    ranges: np.ndarray  # (P,): the places of the pieces' ranges in the target
    begins: np.ndarray  # (P,): as shares of their bins
    widths: np.ndarray  # (P,)

    @classmethod
    def of(cls, codec: NumberCodec, bins: Bins, target: NumberTarget) -> Self:
        edges_W1 = np.arange(len(bins))[:, None]
        begins_WR, ends_WR = (np.clip(place_R - edges_W1, 0, 1) for place_R in bins.places(codec.ranges(target)))
        codes, ranges = np.nonzero(ends_WR > begins_WR)
        begins, widths = begins_WR[codes, ranges], (ends_WR - begins_WR)[codes, ranges]
        null = [float(target.null)] if codec.null_share > 0 else []
        return cls(np.append(np.bincount(codes, widths, len(bins)), null), target, bins, codes, ranges, begins, widths)

    def redrawn(self, cells: Cells, before_B: np.ndarray, after_B: np.ndarray, rng: np.random.Generator) -> Cells:
        """A number whose bin is still the same stays what it was."""
        if not isinstance(cells, NumberCells) or cells.bounds is None:
            return cells
        moved = np.flatnonzero((after_B != before_B) & (after_B < len(self.bins)))
        codes, ends_P = after_B[moved], np.cumsum(self.widths)
        first, last = (np.searchsorted(self.codes, codes, side) for side in ("left", "right"))
        at = ends_P[first] - self.widths[first] + rng.random(len(moved)) * self.weights[codes]
        piece = np.clip(np.searchsorted(ends_P, at, side="right"), first, last - 1)
        into = np.clip(at - ends_P[piece] + self.widths[piece], 0, self.widths[piece])
        low, high = self.target.bounds(self.ranges[piece])
        numbers, (lows, highs) = cells.numbers.copy(), (bound.copy() for bound in cells.bounds)
        drawn = self.bins.numbers(codes, self.begins[piece] + into)
        numbers[moved] = np.clip(drawn, low.astype(np.float64), high.astype(np.float64))
        lows[moved], highs[moved] = low, high
        return NumberCells(numbers, after_B == len(self.bins), (lows, highs))


Allowed = AllowedCategories | AllowedNumbers


def allowed_in(
    columns: Sequence[LearntCodec], all_bins: Sequence[Bins | None], targets: Mapping[str, Target]
) -> dict[int, Allowed]:
    """By the places of asked columns, what may be in them, where there is a choice. Of one column alone calibration has
    it right how often each value comes."""
    found: dict[int, Allowed] = {}
    for place, (codec, bins) in enumerate(zip(columns, all_bins, strict=True)):
        target = targets.get(codec.name) if len(targets) > 1 else None
        if isinstance(codec, NumberCodec) and isinstance(target, NumberTarget) and bins is not None:
            found[place] = AllowedNumbers.of(codec, bins, target)
        elif isinstance(target, CategoryTarget):
            found[place] = AllowedCategories(target.weights)
    return {place: allowed for place, allowed in found.items() if np.count_nonzero(allowed.weights) > 1}
