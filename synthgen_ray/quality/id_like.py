"""Numbers that look like those of accounts or people, whatever their column is called."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.inference import is_scattered
from synthgen_ray.domain.columns import SHORT_LIST
from synthgen_ray.quality.cells import Array

MOST_FILLED = 0.01  # of their range, in round numbers for round ones: who guesses one hits none
MOST = 0.9  # of them have as many digits ...
EVEN = 0.15  # ... or they lie evenly in their range, by this gap at most; sums, prices and counts do neither
MOST_COMMON = 0.1  # of the rows have the commonest; of gains most are 0


def looks_like_ids(values: pa.ChunkedArray) -> bool:
    """Whether whole numbers are many and scattered over a wide range, of one length or evenly, none of them common."""
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return False
    counted = values.drop_null().value_counts()
    numbers, counts = pc.cast(counted.field("values"), pa.float64(), safe=False).to_numpy(), counted.field("counts")
    if len(numbers) <= SHORT_LIST or len(numbers) > MOST_FILLED * np.ptp(numbers) / _unit(numbers):
        return False
    if pc.max(counts).as_py() > MOST_COMMON * pc.sum(counts).as_py():
        return False
    return (_of_one_length(numbers) or _lie_evenly(numbers)) and is_scattered(counted.field("values"))


def _unit(numbers: Array) -> int:
    """The power of ten by which most of some different numbers can be divided."""
    unit = 1
    while np.mean(numbers % (10 * unit) == 0) >= MOST:
        unit *= 10
    return unit


def _of_one_length(numbers: Array) -> bool:
    _, lengths = np.unique(np.floor(np.log10(np.maximum(np.abs(numbers), 1))), return_counts=True)
    return bool(np.max(lengths) >= MOST * len(numbers))


def _lie_evenly(numbers: Array) -> bool:
    """By the largest gap between their cumulative shares and those of a uniform distribution."""
    places = (np.sort(numbers) - numbers.min()) / np.ptp(numbers)
    return bool(np.abs(places - np.linspace(0, 1, len(places))).max() <= EVEN)
