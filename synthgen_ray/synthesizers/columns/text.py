"""Free text and personal data: fresh values of the same kind and about the same shape, none from the table."""

import re
from collections.abc import Callable
from functools import cache, cached_property
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn, are_categories
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.pattern import Pattern, draw_of, patterns_of, skeletons_of
from synthgen_ray.synthesizers.columns.personal import WRITTEN_AS, as_written, could_be_personal, personal_texts
from synthgen_ray.synthesizers.columns.seen import Seen, folded
from synthgen_ray.synthesizers.columns.shape import LEAST_COVER, Shape
from synthgen_ray.synthesizers.columns.stored import Count, Kind, Share, Stored, TextTypeName

WORD = re.compile(r"\b[^\W\d_]{2,}\b")
MOST_LENGTH = 500  # of an outline
MOST_WORDS = 2000
SAMPLE = 10_000  # texts tell whether the column is prose
WORD_BYTES = 8  # of a word with its blank, where there are many
LINE_BYTES = 128  # of a name, an address and the like
LEAST_LOOKS = 64  # for a text that is new, where the table may have most of those that are made up
MOST_CHARACTERS = 1 << 21  # more than a cell may hold
MOST_OF_ONE_CASE = 0.9
LEAST_COMMON = 5  # rows, though k be less
MOST_COMMON = 1.0 + 1e-9
COMMON = 0.05  # of the rows share a text that is nobody's: `n/a`, `No comment`
Case = Literal["upper", "lower"]
CASES: dict[Case, Callable[[pa.Array], pa.Array]] = {"upper": pc.utf8_upper, "lower": pc.utf8_lower}


class TextCodec(Stored):
    """Patterns and numbers of words, each with its count, at least k rows; `common` are texts that come back."""

    kind: Literal["text"] = "text"
    name: str
    column_kind: Kind = ColumnKind.TEXT
    arrow_type: TextTypeName
    pii: str | None
    patterns: tuple[Pattern, ...] = ()
    pattern_counts: tuple[Count, ...] = ()
    words: tuple[Annotated[int, Field(ge=1, le=MOST_WORDS)], ...]
    word_counts: tuple[Count, ...]
    longest: Annotated[int, Field(ge=1, le=MOST_CHARACTERS)]
    null_share: Share
    seen: Seen
    case: Case | None = Field(default=None, exclude_if=lambda case: case is None)  # files of before have none
    common: tuple[str, ...] = Field(default=(), exclude_if=lambda common: not common)  # nor have they these
    common_shares: tuple[Share, ...] = Field(default=(), exclude_if=lambda shares: not shares)  # of what is there
    # Of files of before: the share of empty texts; and outlines, where digits are 9, letters a and A.
    empty_share: Share = Field(default=0.0, exclude_if=lambda share: share == 0)
    outlines: tuple[Annotated[str, Field(min_length=1, max_length=MOST_LENGTH)], ...] = Field(
        default=(), exclude_if=lambda outlines: not outlines
    )
    outline_counts: tuple[Count, ...] = Field(default=(), exclude_if=lambda counts: not counts)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if any(
            len(values) != len(counts)
            for values, counts in (
                (self.patterns, self.pattern_counts),
                (self.outlines, self.outline_counts),
                (self.words, self.word_counts),
                (self.common, self.common_shares),
            )
        ):
            raise ValueError("values and counts do not fit together")
        if sum(self.common_shares) > MOST_COMMON:
            raise ValueError("more common texts than there are")
        return self

    @classmethod
    def learn(
        cls,
        name: str,
        column: pa.ChunkedArray,
        whole: pa.ChunkedArray,
        pii: str | None,
        k: int,
        rng: np.random.Generator,
    ) -> Self:
        """`whole` has the rows that are held out too: they only tell what no text that is made up may be."""
        array = arrow.plain(column).cast(pa.string())
        texts = array.drop_null()
        all_texts = arrow.plain(whole).cast(pa.string()).drop_null()
        num_distinct = pc.count_distinct(all_texts).as_py()
        are_somebodys = pii is not None or are_categories(num_distinct, len(all_texts))
        common, common_shares = _common(texts, k, are_somebodys=are_somebodys)
        texts = texts.filter(pc.invert(pc.is_in(texts, value_set=common))) if len(common) else texts
        words = pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(texts))).to_numpy()
        numbers, counts = np.unique(np.clip(words, 1, MOST_WORDS), return_counts=True)
        usual = counts >= k
        if not usual.any():  # of so few rows nothing nearer than the median to a power of two may be kept
            median = max(1 << int(np.median(words)).bit_length() >> 1, 1)
            numbers, counts, usual = np.array([median]), np.ones(1, int), np.ones(1, bool)
        taken = num_distinct / max(pc.count_distinct(texts).as_py(), 1)
        patterns = patterns_of(texts, k, taken)
        if _is_prose(texts) and sum(count for _, count in patterns) < LEAST_COVER * len(texts):
            patterns = []
        written = as_written(pii, name, texts) if pii and len(texts) >= k else pii
        return cls(
            name=name,
            arrow_type=str(arrow.for_fresh(column.type)),
            pii=written,
            patterns=tuple(pattern for pattern, _ in patterns),
            pattern_counts=tuple(count for _, count in patterns),
            words=tuple(numbers[usual].tolist()),
            word_counts=tuple(counts[usual].tolist()),
            longest=min(
                _all_ones(pc.max(pc.utf8_length(arrow.plain(whole).cast(pa.string()))).as_py()), MOST_CHARACTERS
            ),
            null_share=arrow.kept_nulls(array, k) / len(array),
            seen=Seen.nothing(rng, folded=True),
            case=_case_of(texts) if written in WRITTEN_AS and len(texts) >= k else None,
            common=tuple(common.to_pylist()),
            common_shares=tuple(common_shares.tolist()),
        )

    def to_avoid(self, column: pa.ChunkedArray) -> pa.Array:
        """The texts that might be made up, in whatever case: of the others the model's file need not know."""
        texts = pa.array(
            folded(arrow.plain(column).cast(pa.string()).unique().drop_null().to_numpy(False)), pa.string()
        )
        if self.pii in WRITTEN_AS:
            return texts.filter(could_be_personal(self.pii, texts))
        if self._patterns:
            made = pa.concat_arrays([pattern.random(1, np.random.default_rng(0)) for pattern, _ in self._patterns])
            like = skeletons_of(pa.array(folded(made.to_numpy(False)), pa.string()))
            return texts.filter(pc.is_in(skeletons_of(texts), like))
        word = f"({'|'.join(_words())})"
        return texts.filter(pc.match_substring_regex(texts, f"^{word}( {word})*$", ignore_case=True))

    @property
    def learned(self) -> LearnedColumn:
        return LearnedColumn(self.name, ColumnKind.TEXT, self.null_share > 0, widest=self._widest)

    @property
    def _widest(self) -> int:
        """Bytes of the longest cell: of one that is longer than all of the table, if nothing else will do."""
        patterned = max((pattern.widest for pattern, _ in self._patterns), default=0)
        prose = 0 if patterned else WORD_BYTES * max(self.words, default=0)
        common = max((len(text.encode()) for text in self.common), default=0)
        return max(patterned, prose, common, LINE_BYTES) + WORD_BYTES * (self.longest // 2 + 1)

    @cached_property
    def _patterns(self) -> list[tuple[Pattern, int]]:
        """With their counts."""
        of_outlines = (Pattern(parts=(Shape.of_outline(outline),)) for outline in self.outlines)
        counts = self.pattern_counts or self.outline_counts
        return list(zip(self.patterns or of_outlines, counts, strict=True))

    def make(self, rows: np.ndarray, key: int, rng: np.random.Generator) -> pa.Array:  # noqa: ARG002 - made like the others
        texts = self._written(len(rows), rng).to_numpy(zero_copy_only=False)
        open_ = np.flatnonzero(self.seen.contains(texts))
        for _ in range(max(self.seen.looks, LEAST_LOOKS)):
            if len(open_) == 0:
                break
            texts[open_] = self._written(len(open_), rng).to_numpy(zero_copy_only=False)
            open_ = open_[self.seen.contains(texts[open_])]
        # Longer than any text of the table, so not one of them.
        texts[open_] = [text + " " + "".join(rng.choice(_words(), self.longest // 2 + 1)) for text in texts[open_]]
        common, shares = (self.common, self.common_shares) if self.common else (("",), (self.empty_share,))
        if sum(shares):
            ends = np.cumsum(shares)
            which = np.searchsorted(ends, rng.random(len(rows)), side="right")
            is_common = which < len(ends)
            texts[is_common] = np.array(common, dtype=object)[which[is_common]]
        null = rng.random(len(rows)) < self.null_share
        return arrow.as_type(pa.array(texts, pa.string(), mask=null), arrow.type_of(self.arrow_type))

    def _written(self, count: int, rng: np.random.Generator) -> pa.Array:
        if self.pii in WRITTEN_AS:
            texts = personal_texts(self.pii, count, rng)
            return CASES[self.case](texts) if self.case else texts
        return draw_of(self._patterns, count, rng) if self._patterns else self._prose(count, rng)

    def _prose(self, count: int, rng: np.random.Generator) -> pa.Array:
        numbers = rng.choice(self.words, count, p=np.array(self.word_counts) / sum(self.word_counts))
        words = pa.array(_words()).take(pa.array(rng.integers(len(_words()), size=numbers.sum())))
        ends = np.cumsum(numbers, dtype=np.int32)
        return pc.utf8_capitalize(pc.binary_join(pa.ListArray.from_arrays(np.append(np.int32(0), ends), words), " "))


def _case_of(texts: pa.Array) -> Case | None:
    """That of nearly all texts, if they have one."""
    cased = {case: written(texts) for case, written in CASES.items()}
    has_cases = pc.not_equal(cased["upper"], cased["lower"])
    for case, like in cased.items():
        if pc.mean(pc.and_(has_cases, pc.equal(texts, like))).as_py() >= MOST_OF_ONE_CASE:
            return case
    return None


def _is_prose(texts: pa.Array) -> bool:
    """Whether most texts have three words or more."""
    some = texts[:: -(-len(texts) // SAMPLE)].to_pylist()
    return sum(len(WORD.findall(text)) > 2 for text in some) > len(some) / 2


def _common(texts: pa.Array, k: int, *, are_somebodys: bool) -> tuple[pa.Array, np.ndarray]:
    """Texts that come back as they are, and their shares: no text at all, and what so many rows share that it is
    nobody's. Not where texts are personal, or repeat and were yet declared to be text, lest they come back."""
    counted = pc.value_counts(texts)
    values, counts = counted.field("values"), counted.field("counts").to_numpy()
    is_common = counts >= max(k, LEAST_COMMON)
    is_empty = np.asarray(pc.equal(values, ""))
    is_common &= is_empty if are_somebodys else is_empty | (counts >= COMMON * len(texts))
    if counts[is_common].sum() == len(texts):
        is_common[:] = False
    return values.filter(pa.array(is_common)), counts[is_common] / len(texts)


@cache
def _words() -> np.ndarray:
    from synthgen_ray.synthesizers.columns.words import LISTS

    return np.array(sorted(set(LISTS["text"])))


def _all_ones(length: int) -> int:
    """The next of 7, 15, 31 .. that is not below a length: the length is one row's, of which no more may be kept."""
    return max(7, (1 << int(length).bit_length()) - 1)
