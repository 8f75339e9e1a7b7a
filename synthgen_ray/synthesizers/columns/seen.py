"""Which values a table holds, so that none of them is made up again, without holding them.

Source: Bloom 1970, "Space/time trade-offs in hash coding with allowable errors"; here with one hash, and decoys.
"""

import base64
import hashlib
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns.stored import Stored

LEAST_BITS = 128
MOST_PROOF = 16  # times likelier than before is somebody's presence whose values all look seen
MOST_STRANGERS = 0.9  # look seen: at ten tries for a value a larger share of them takes too long
LOOKS, MOST_LOOKS = 8, 256


class Seen(Stored):
    """A bitmap with one bit for each keyed hash: a value that it was given always looks seen, and so do many strangers.

    All bitmaps of a file together pass one stranger in sixteen (`shares_of_strangers`): that every value of a person
    looks seen is no proof that they are in the table. What a bitmap cannot hide is absence: a value whose bit is not
    set, and which the column could make, is not in the table.
    """

    key: str = Field(pattern="^[0-9a-f]{16}$")
    bitmap: str
    folded: bool = False  # whether a text is the same in any case and with any blanks; in earlier files none is

    @model_validator(mode="after")
    def _has_bits(self) -> Self:
        if len(self._bits) < 1 or len(self._bits) & (len(self._bits) - 1):
            raise ValueError("not a bitmap")
        return self

    @classmethod
    def nothing(cls, rng: np.random.Generator, folded: bool = False) -> Self:
        return cls(key=rng.bytes(8).hex(), bitmap=_written(np.zeros(LEAST_BITS, dtype=np.uint8)), folded=folded)

    def hashes(self, texts: pa.Array) -> np.ndarray:
        return np.unique(self._hashes(texts.unique().drop_null().to_numpy(zero_copy_only=False)))

    def of(self, hashes: np.ndarray, strangers: float) -> Self:
        """With these values, and decoys until that share of all strangers looks seen.

        The decoys follow from all the values: by the model's seed, which is in its file, anyone could draw them again.
        """
        per_bit = -math.log1p(-strangers)
        size = 1 << max(math.ceil(len(hashes) / per_bit) - 1, LEAST_BITS - 1).bit_length()
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(hashes.tobytes()).digest()))
        bits = np.zeros(size, dtype=np.uint8)
        bits[rng.integers(size, size=math.ceil(size * per_bit) - len(hashes))] = 1
        bits[hashes % np.uint64(size)] = 1
        return type(self)(key=self.key, bitmap=_written(bits), folded=self.folded)

    def contains(self, texts: np.ndarray) -> np.ndarray:
        places = self._hashes(texts) % np.uint64(len(self._bits) * 8)
        shift = (7 - places % np.uint64(8)).astype(np.uint8)
        return np.asarray((self._bits[places // np.uint64(8)] >> shift) & 1, dtype=bool)

    @cached_property
    def looks(self) -> int:
        """How many strangers to look at for one that looks new: they all look seen once in 16**8."""
        share = int(np.bitwise_count(self._bits).sum()) / (8 * len(self._bits))
        needed = 4 * LOOKS / -math.log2(share) if 0 < share < 1 else MOST_LOOKS * share
        return min(max(math.ceil(needed), LOOKS), MOST_LOOKS)

    def looks_in(self, size: int) -> int:
        """In how many parts of a space of so many values to look for one that is new: it is worth more looks where a
        part still has room for a large job. The fewest fail once in 256."""
        return min(max(size >> 20, round(self.looks / 4)), self.looks)

    def _hashes(self, texts: np.ndarray) -> np.ndarray:
        return _hashes(folded(texts) if self.folded else texts, self.key)

    @cached_property
    def _bits(self) -> np.ndarray:
        return np.frombuffer(base64.b64decode(self.bitmap, validate=True), dtype=np.uint8)


def shares_of_strangers(weights: Mapping[str, int]) -> dict[str, float]:
    """How many strangers are to look seen in each column of a file: 1/16 of them in all columns at once.

    A column of more weight gets fewer: it is one where a value that is passed over costs more. From some 26 columns on
    a stranger is told apart more often.
    """
    total = sum(weights.values())
    return {name: min(MOST_PROOF ** (-weight / total), MOST_STRANGERS) for name, weight in weights.items()}


def folded(texts: np.ndarray) -> np.ndarray:
    """The texts without case, with one blank for each stretch of white space and none around: a name in capitals is
    still that name."""
    return np.array([" ".join(text.casefold().split()) for text in texts.tolist()], dtype=object)


def _written(bits: np.ndarray) -> str:
    return base64.b64encode(np.packbits(bits).tobytes()).decode()


def _hashes(texts: np.ndarray, key: str) -> np.ndarray:
    import pandas as pd  # slow to load, and few models have such columns

    return np.asarray(pd.util.hash_array(texts.astype(object), hash_key=key, categorize=False), dtype=np.uint64)
