"""The shape of a code: which characters its places take. Writes any number of new codes of that shape."""

import string
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from synthgen_ray.synthesizers.columns.permutation import mix, permute
from synthgen_ray.synthesizers.columns.stored import Stored

ALPHABETS = (
    string.digits,
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.digits + string.ascii_lowercase,
    string.digits + string.ascii_uppercase,
    string.ascii_letters,
    string.digits + string.ascii_letters,
)
MOST_CODES = 1 << 62
MOST_PLACES = 500


class Shape(Stored):
    """An alphabet for each place; of one character where all codes agree."""

    alphabets: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        min_length=1, max_length=MOST_PLACES
    )

    @classmethod
    def of(cls, texts: np.ndarray) -> Self:
        """The shape that covers texts of one length."""
        length = len(texts[0])
        letters = texts.astype(f"<U{length}").view("<U1").reshape(len(texts), length)
        return cls(alphabets=tuple(_alphabet("".join(np.unique(column))) for column in letters.T))

    @property
    def size(self) -> int:
        """How many codes have the shape, at most 2**62 counted."""
        size = 1
        for alphabet in self.alphabets:
            size *= len(alphabet)
        return min(size, MOST_CODES)

    def longer(self, by: int) -> Self:
        """The same with more places at the end, of the kind of the last one that varies."""
        varied = [alphabet for alphabet in self.alphabets if len(alphabet) > 1] or [string.digits]
        return type(self)(alphabets=self.alphabets + (varied[-1],) * by)

    def write(self, places: np.ndarray, key: int) -> np.ndarray:
        """The codes at the places of a keyed permutation: two places never share a code."""
        left = permute(places, self.size, key)
        room = self.size
        letters = np.empty((len(places), len(self.alphabets)), dtype="<U1")
        for place in reversed(range(len(self.alphabets))):
            alphabet = np.array(list(self.alphabets[place]))
            letters[:, place] = alphabet[(left % np.uint64(len(alphabet))).astype(np.int64)]
            left //= np.uint64(len(alphabet))
            room = -(-room // len(alphabet))
            if room <= 1:  # all of the place is spent: what is left only has to look random
                left = mix(permute(places, self.size, key) + np.uint64(place))
                room = MOST_CODES
        return np.ascontiguousarray(letters).view(f"<U{len(self.alphabets)}")[:, 0]


def _alphabet(used: str) -> str:
    if len(used) == 1:
        return used
    fitting = [alphabet for alphabet in ALPHABETS if set(used) <= set(alphabet)]
    return fitting[0] if fitting else string.digits + string.ascii_letters
