"""How texts of one kind are written: what stays the same in all of them, and what takes the place of the rest."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns.shape import (
    LEAST_COVER,
    MOST_PLACES,
    Shape,
    are_far_fewer,
    commonest,
    outlines_of,
    places_of,
)
from synthgen_ray.synthesizers.columns.stored import Count, Stored

MOST_PATTERNS = 200
LEAST_OF_A_PATTERN = 2  # texts, though k be 1: the words of one are the text
ENOUGH, ENOUGH_LETTERS, FEW = 2000, 100_000, 100  # texts show how those of a pattern are written, fewer of long ones
MOST_DIGITS = 15  # of a number that is drawn as one
MOST_CELLS = 32
MOST_WORDS = 200  # at one place
LEAST_ROOM, LEAST_EXTRA = 1.5, 10  # texts that a pattern can have for each that the table has, and beside them
RUN = re.compile(f"9{{{MOST_DIGITS + 1}}}|9+|[Aa]+|.", re.DOTALL)  # of an outline
Edge = Annotated[int, Field(ge=0, le=10**MOST_DIGITS)]


class Words(Stored):
    """Letters or digits that k texts and more have at one place, each with its count; a sign, if all have it."""

    words: tuple[Annotated[str, Field(min_length=1, max_length=MOST_PLACES)], ...] = Field(min_length=1)
    counts: tuple[Count, ...]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if len(self.words) != len(self.counts):
            raise ValueError("words and counts do not fit together")
        return self

    @property
    def size(self) -> int:
        return len(self.words)

    @property
    def widest(self) -> int:
        return max(len(word.encode()) for word in self.words)

    def random(self, count: int, rng: np.random.Generator) -> pa.Array:
        if len(self.words) == 1:
            return pa.repeat(self.words[0], count)
        chosen = rng.choice(len(self.words), count, p=np.array(self.counts) / sum(self.counts))
        return pa.array(self.words).take(pa.array(chosen))


class Numbers(Stored):
    """Whole numbers, as many in each cell, from an edge to before the next one; zeros fill them up to `digits`."""

    edges: tuple[Edge, ...] = Field(min_length=2, max_length=MOST_CELLS + 1)
    digits: Annotated[int, Field(ge=1, le=MOST_DIGITS)]

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if sorted(self.edges) != list(self.edges) or self.edges[0] == self.edges[-1]:
            raise ValueError("edges do not rise")
        return self

    @classmethod
    def of(cls, texts: list[str], k: int) -> Self:
        """An edge is about the mean of k numbers, none of them among the k - 1 at either end, and nobody's number. Of
        fewer than 3k numbers no more is kept than how many digits the middle one has."""
        numbers = np.sort(np.array(texts, dtype=np.int64))
        digits = sorted(map(len, texts))[min(k, len(texts)) - 1]  # of a few shorter ones nothing is kept
        if len(numbers) < 3 * k:
            length = len(str(numbers[len(numbers) // 2]))
            return cls(edges=(10 ** (length - 1) if length > 1 else 0, 10**length), digits=min(digits, length))
        inner = numbers[k - 1 : len(numbers) - k + 1].astype(np.float64)
        cells = min(max(len(inner) // k - 1, 1), MOST_CELLS)
        starts = np.linspace(0, len(inner) - k, cells + 1).astype(int)
        edges = [round(inner[start : start + k].mean()) for start in starts]
        values, counts = np.unique(numbers, return_counts=True)
        somebodys = set(values[counts < k].tolist())
        edges = [edge + (edge in somebodys and edge + 1 not in somebodys) for edge in edges]
        return cls(edges=(*edges[:-1], edges[-1] + 1), digits=digits)

    @property
    def size(self) -> int:
        """How many there are, where most of them are drawn."""
        return max(int((len(self.edges) - 1) * np.median(np.diff(self.edges))), 1)

    @property
    def widest(self) -> int:
        return max(self.digits, len(str(self.edges[-1])))

    def random(self, count: int, rng: np.random.Generator) -> pa.Array:
        cells = len(self.edges) - 1
        places = rng.random(count) * cells
        numbers = np.interp(places, np.arange(cells + 1), np.array(self.edges, dtype=np.float64)).astype(np.int64)
        return pc.utf8_lpad(pa.array(np.minimum(numbers, self.edges[-1] - 1)).cast(pa.string()), self.digits, "0")


Part = Shape | Numbers | Words


class Pattern(Stored):
    """Parts that stand one behind the other. The texts of a pattern have one skeleton (`skeletons_of`)."""

    parts: tuple[Part, ...] = Field(min_length=1, max_length=MOST_PLACES)

    @property
    def widest(self) -> int:
        """Bytes of the longest text."""
        return sum(part.widest for part in self.parts)

    def random(self, count: int, rng: np.random.Generator) -> pa.Array:
        """So many texts, which may be alike."""
        return pc.binary_join_element_wise(*(part.random(count, rng) for part in self.parts), "")


def skeletons_of(texts: pa.Array) -> pa.Array:
    """The texts with an x for each run of letters and digits, and without accents of their own: some small letters have
    such whose capitals have none."""
    return pc.replace_substring_regex(pc.replace_substring_regex(texts, r"\pM+", ""), r"[\pL\pN]+", "x")


def patterns_of(texts: pa.Array, k: int, taken: float = 1.0, wider: float = 5.0) -> list[tuple[Pattern, int]]:
    """The patterns that k rows and more have, two at least, with how many they are, the commonest first. Each has room
    for others beside those of the table, of which there are `taken` for each of the texts: one that has not is made
    `wider`, with so many times as many texts.

    Texts are alike if they differ in their letters and numbers only; or if they have letters or digits at the same
    places, where that gives far fewer patterns, as of hexadecimal codes. How those of a pattern are written,
    distinct ones tell: one name on many rows is no word of a pattern.
    """
    k = max(k, LEAST_OF_A_PATTERN)
    plain = pc.replace_substring_regex(texts, r"[^\PN0-9]", "0")  # digits of other scripts
    outlines = outlines_of(plain)
    long_numbers = pc.replace_substring_regex(outlines, f"9{{{MOST_DIGITS + 1}}}", "N")
    marks, places = pc.replace_substring_regex(long_numbers, "9+", "n"), places_of(outlines)
    by_numbers, by_places = (commonest(some, k, MOST_PATTERNS) for some in (marks, places))
    if are_far_fewer(list(by_places.values()), list(by_numbers.values()), len(texts)):
        groups = _alike(plain, places, by_places)
        return [(Pattern(parts=(Shape.of(np.array(one.texts)),)), one.count) for one in groups if one.num_distinct >= k]
    return [(_pattern(one, k, taken, wider), one.count) for one in _alike(plain, marks, by_numbers)]


def draw_of(patterns: Sequence[tuple[Pattern, int]], count: int, rng: np.random.Generator) -> pa.Array:
    """So many texts of patterns with their counts."""
    counts = np.array([often for _, often in patterns])
    chosen = rng.choice(len(counts), count, p=counts / counts.sum())
    made = [pa.array([], pa.string())]
    made += [patterns[which][0].random(int((chosen == which).sum()), rng) for which in np.unique(chosen)]
    return pa.concat_arrays(made).take(pa.array(np.argsort(np.argsort(chosen, kind="stable"))))


@dataclass(frozen=True)
class _Alike:
    texts: list[str]  # distinct ones, at most `ENOUGH`
    num_distinct: int
    count: int  # of rows


def _alike(texts: pa.Array, marks: pa.Array, counts: Mapping[str, int]) -> Iterator[_Alike]:
    """The texts of each of these marks."""
    names = pa.array(list(counts), pa.string())
    place = pc.index_in(marks, value_set=names).fill_null(len(names)).to_numpy()
    order, ends = np.argsort(place, kind="stable"), np.cumsum(list(counts.values()))
    for mark, end in zip(counts, ends, strict=True):
        distinct = texts.take(pa.array(order[end - counts[mark] : end])).unique()
        enough = max(min(ENOUGH, ENOUGH_LETTERS // len(mark)), FEW)
        some = np.linspace(0, len(distinct) - 1, min(len(distinct), enough)).astype(int)
        yield _Alike(distinct.take(pa.array(some)).to_pylist(), len(distinct), counts[mark])


def _pattern(alike: _Alike, k: int, taken: float, wider: float) -> Pattern:
    outlines = outlines_of(pa.array(alike.texts)).to_pylist()
    split = (
        [text[run.start() : run.end()] for run in RUN.finditer(mark)]
        for text, mark in zip(alike.texts, outlines, strict=True)
    )
    runs = list(map(list, zip(*split, strict=True)))
    parts = [_part(run, k) for run in runs]
    num_taken = taken * alike.num_distinct
    if math.prod(part.size for part in parts) < LEAST_ROOM * num_taken + LEAST_EXTRA:
        parts = _roomier(parts, runs, k, wider * num_taken + LEAST_EXTRA)
    return Pattern(parts=tuple(_joined(parts)))


def _joined(parts: list[Part]) -> Iterator[Part]:
    """With all that stands between two places as one word."""
    for is_fixed, some in groupby(parts, lambda part: isinstance(part, Words) and part.size == 1):
        if is_fixed:
            words = [part for part in some if isinstance(part, Words)]
            fixed = "".join(word.words[0] for word in words)
            for start in range(0, len(fixed), MOST_PLACES):
                yield Words(words=(fixed[start : start + MOST_PLACES],), counts=words[0].counts)
        else:
            yield from some


def _part(run: list[str], k: int) -> Part:
    common = [(word, count) for word, count in Counter(run).most_common(MOST_WORDS + 1) if count >= k]
    if len(common) <= MOST_WORDS and sum(count for _, count in common) >= LEAST_COVER * len(run):
        return Words(words=tuple(word for word, _ in common), counts=tuple(count for _, count in common))
    if _are_numbers(run):
        return Numbers.of(run, k)
    return Shape.of(np.array(run)) if len(run) >= k else _letters(run)


def _roomier(parts: list[Part], runs: list[list[str]], k: int, room: float) -> list[Part]:
    """Of so few texts that the table may have them all: with the last number in a wider range, or with any letters."""
    last = max((place for place, run in enumerate(runs) if _are_numbers(run)), default=None)
    if last is None:
        return list(map(_letters, runs))
    numbers, before, behind = Numbers.of(runs[last], k), parts[:last], parts[last + 1 :]
    others = math.prod(part.size for part in (*before, *behind))
    most = numbers.edges[0] + max(numbers.size, math.ceil(room / others))
    wider = Numbers(edges=(numbers.edges[0], min(most, 10**MOST_DIGITS)), digits=numbers.digits)
    return [*before, wider, *behind]


def _are_numbers(run: list[str]) -> bool:
    return run[0].isdigit() and len(run[0]) <= MOST_DIGITS


def _letters(run: list[str]) -> Shape:
    """Any letters where there are some."""
    return Shape.of_outline(outlines_of(pa.array(run[:1]))[0].as_py())
