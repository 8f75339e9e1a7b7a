"""Which texts the training table holds, without holding them."""

import base64
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns.stored import Stored

BITS_PER_VALUE = 16


class Seen(Stored):
    """A bitmap with one bit for each keyed hash: it never forgets a value, and about one stranger in sixteen
    looks seen, so that the file proves nobody's presence.
    """

    key: str = Field(pattern="^[0-9a-f]{16}$")
    bitmap: str

    @model_validator(mode="after")
    def _has_bits(self) -> Self:
        if len(self._bits) < 1 or len(self._bits) & (len(self._bits) - 1):
            raise ValueError("not a bitmap")
        return self

    @classmethod
    def learn(cls, column: pa.Array, rng: np.random.Generator) -> Self:
        texts = column.unique().drop_null().to_numpy(zero_copy_only=False)
        size = 1 << max(len(texts) * BITS_PER_VALUE - 1, 7).bit_length()
        key = rng.bytes(8).hex()
        bits = np.zeros(size, dtype=np.uint8)
        bits[_hashes(texts, key) % np.uint64(size)] = 1
        return cls(key=key, bitmap=base64.b64encode(np.packbits(bits).tobytes()).decode())

    def contains(self, texts: np.ndarray) -> np.ndarray:
        places = _hashes(texts, self.key) % np.uint64(len(self._bits) * 8)
        shift = (7 - places % np.uint64(8)).astype(np.uint8)
        return np.asarray((self._bits[places // np.uint64(8)] >> shift) & 1, dtype=bool)

    @cached_property
    def _bits(self) -> np.ndarray:
        return np.frombuffer(base64.b64decode(self.bitmap, validate=True), dtype=np.uint8)


def looks(size: int) -> int:
    """In how many parts of a space of so many values to look for one that is new: it is worth more looks where a
    part still has room for a large job."""
    return min(max(size >> 20, 2), 8)


def _hashes(texts: np.ndarray, key: str) -> np.ndarray:
    import pandas as pd  # slow to load, and few models have such columns

    return np.asarray(pd.util.hash_array(texts.astype(object), hash_key=key, categorize=False), dtype=np.uint64)
