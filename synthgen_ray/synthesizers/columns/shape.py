"""The shape of a code: which characters its places take. Writes any number of new codes of that shape."""

import math
import re
import string
import unicodedata
from collections.abc import Iterator
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from synthgen_ray.synthesizers.columns.permutation import mix, permute
from synthgen_ray.synthesizers.columns.stored import Stored

ALPHABETS = (
    string.digits[1:],
    string.digits,
    string.ascii_lowercase,
    string.ascii_uppercase,
    "89ab",  # of UUIDs, where their variant is
    "89AB",
    string.digits + "abcdef",
    string.digits + "ABCDEF",
    string.digits + string.ascii_lowercase,
    string.digits + string.ascii_uppercase,
    string.ascii_letters,
    string.digits + string.ascii_letters,
)
MOST_CODES = 1 << 62
MOST_PLACES = 500
MOST_EXTRA = 64  # by which a shape is made longer
MOST_SHAPES = 100
ENOUGH = 10_000  # codes show what their places take
LEAST_COVER = 0.9  # of the codes, for a few shapes to speak for all
FAR_FEWER = 8
MOST_WORDS = 20  # that a place of ids has
LEAST_ROOM = 10  # codes of a shape for each of the table
ASCII_KINDS = bytes.maketrans(
    (string.digits + string.ascii_lowercase + string.ascii_uppercase).encode(), b"9" * 10 + b"a" * 26 + b"A" * 26
)
MARKED = {"9": string.digits, "a": string.ascii_lowercase, "A": string.ascii_uppercase}
KINDS = ((r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}]", "a"), (r"\p{N}", "9"))


class Shape(Stored):
    """An alphabet for each place; of one character where all codes agree."""

    alphabets: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(
        min_length=1, max_length=MOST_PLACES + MOST_EXTRA
    )

    @classmethod
    def of(cls, texts: np.ndarray) -> Self:
        """The shape that covers texts of one length."""
        length = len(texts[0])
        letters = texts.astype(f"<U{length}").view("<U1").reshape(len(texts), length)
        return cls(alphabets=tuple(_alphabet("".join(np.unique(column))) for column in letters.T))

    @classmethod
    def of_outline(cls, outline: str) -> Self:
        """Any digit where it has a 9, any letter where it has a or A."""
        return cls(alphabets=tuple(MARKED.get(mark, mark) for mark in outline))

    @property
    def widest(self) -> int:
        """Bytes of the longest code."""
        return sum(len(max(alphabet).encode()) for alphabet in self.alphabets)

    @property
    def size(self) -> int:
        """How many codes have the shape, at most 2**62 counted."""
        size = 1
        for alphabet in self.alphabets:
            size *= len(alphabet)
        return min(size, MOST_CODES)

    def fuller(self) -> Iterator[Self]:
        """Where zeros fill numbers up, as in `P-0007`, the shapes with one zero less, two less and so on: of the same
        length, and no two have a code in common."""
        for place in reversed(range(len(self.alphabets) - 1)):
            before, zero, behind = self.alphabets[:place], self.alphabets[place], self.alphabets[place + 1 :]
            until = next((at for at, alphabet in enumerate(behind) if alphabet != "0"), 0)
            if zero == "0" and len(behind[until]) > 1 and set(behind[until]) <= set(string.digits):
                digits = (string.digits,) * (until + 1)
                yield type(self)(alphabets=(*before, string.digits[1:], *digits, *behind[until + 1 :]))

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

    def random(self, count: int, rng: np.random.Generator) -> pa.Array:
        """So many codes, which may be alike."""
        sizes = [len(alphabet) for alphabet in self.alphabets]
        letters = np.array([[ord(letter) for letter in alphabet.ljust(max(sizes))] for alphabet in self.alphabets])
        chosen = (rng.random((count, len(sizes)), dtype=np.float32) * sizes).astype(np.intp)
        codes = letters.astype(np.uint32)[np.arange(len(sizes)), chosen]
        return pa.array(codes.view(f"<U{len(sizes)}")[:, 0].astype(object), pa.string())


def outlines_of(texts: pa.Array) -> pa.Array:
    """The texts, without nulls, with capitals as A, other letters as a, digits as 9."""
    _, ends, letters = texts.buffers()
    marks = pa.py_buffer((letters.to_pybytes() if letters else b"").translate(ASCII_KINDS))  # in UTF-8 ASCII is itself
    outlines = pa.StringArray.from_buffers(len(texts), ends, marks, offset=texts.offset)
    if not pc.all(pc.string_is_ascii(outlines), min_count=0).as_py():
        for pattern, mark in KINDS:
            outlines = pc.replace_substring_regex(outlines, pattern, mark)
    return outlines


def shapes_of(texts: pa.Array, k: int) -> list[tuple[Shape, int]]:
    """The shapes of distinct texts, with how many have each, k at least; the commonest first.

    Texts of one outline have a shape of their own, if a few outlines cover them, and so have those that begin with
    the same letters, or have them elsewhere, where there are a few such words. Else, or where that gives far fewer
    shapes, letters and digits count as alike. Two shapes never have a code in common.
    """
    outlines = outlines_of(texts)
    places = places_of(outlines)
    by_outline, by_places = (commonest(marks, k, MOST_SHAPES) for marks in (outlines, places))
    counts = list(by_outline.values())
    few = sum(counts) >= LEAST_COVER * len(texts)
    if few and not are_far_fewer(list(by_places.values()), counts, len(texts)):
        found = [one for mark in by_outline for one in _by_words(texts.filter(pc.equal(outlines, mark)), mark, k)]
        return sorted(found, key=lambda one: one[1], reverse=True)[:MOST_SHAPES]
    return [_counted(texts.filter(pc.equal(places, mark))) for mark in by_places]


def _counted(texts: pa.Array) -> tuple[Shape, int]:
    return _shape(texts), len(texts)


def _by_words(texts: pa.Array, outline: str, k: int) -> list[tuple[Shape, int]]:
    """The shapes of an outline's texts: one for each of the words in them, where these are few and leave room for
    others like them."""
    words = []
    for run in re.finditer("[Aa]+", outline):
        word = pc.utf8_slice_codeunits(texts, run.start(), run.end())
        counts = pc.value_counts(word).field("counts").to_numpy()
        common = counts[counts >= k]
        if 1 < len(common) <= MOST_WORDS and common.sum() >= LEAST_COVER * len(texts):
            words.append(word)
    if not words:
        return [_counted(texts)]
    together = pc.binary_join_element_wise(*words, "")
    found = [_counted(texts.filter(pc.equal(together, word))) for word in commonest(together, k, MOST_SHAPES)]
    covered = sum(count for _, count in found) >= LEAST_COVER * len(texts)
    has_room = all(shape.size >= LEAST_ROOM * count for shape, count in found)
    return found if covered and has_room else [_counted(texts)]


def commonest(marks: pa.Array, k: int, most: int) -> dict[str, int]:
    """The marks that k texts have, with how many have each; the commonest first."""
    counted = pc.value_counts(marks)
    counts = counted.field("counts").to_numpy()
    order = np.argsort(-counts, kind="stable")[:most]
    common = order[counts[order] >= k]
    names = counted.field("values").take(pa.array(common)).to_pylist()
    return {
        mark: count for mark, count in zip(names, counts[common].tolist(), strict=True) if 0 < len(mark) <= MOST_PLACES
    }


def places_of(outlines: pa.Array) -> pa.Array:
    """The outlines with an x for each letter and digit."""
    return pc.replace_substring_regex(outlines, "[Aa9]", "x")


def are_far_fewer(counts: list[int], others: list[int], num_texts: int) -> bool:
    """Whether far fewer of some groups than of others, the largest first, have nearly all texts in them."""
    return FAR_FEWER * _needed(counts, num_texts) < _needed(others, num_texts)


def _needed(counts: list[int], num_texts: int) -> float:
    covered = np.cumsum(counts) >= LEAST_COVER * num_texts
    return int(np.argmax(covered)) + 1 if covered.any() else math.inf


def _shape(texts: pa.Array) -> Shape:
    some = np.linspace(0, len(texts) - 1, min(len(texts), ENOUGH)).astype(int)
    return Shape.of(texts.take(pa.array(some)).to_numpy(zero_copy_only=False))


def _alphabet(used: str) -> str:
    if len(used) == 1:
        return used
    ascii_used = {letter if letter.isascii() else _ascii_of(letter) for letter in used}
    fitting = [alphabet for alphabet in ALPHABETS if ascii_used <= set(alphabet)]
    return fitting[0] if fitting else ALPHABETS[-1]


def _ascii_of(letter: str) -> str:
    kind = unicodedata.category(letter)
    return "A" if kind == "Lu" else "a" if kind.startswith("L") else "0"
