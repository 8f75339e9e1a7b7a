"""Free text and personal data: fresh values of the same kind and about the same shape, none from the table."""

import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.personal import WRITTEN_AS, as_written, could_be_personal, personal_texts
from synthgen_ray.synthesizers.columns.seen import Seen, folded
from synthgen_ray.synthesizers.columns.shape import outlines_of
from synthgen_ray.synthesizers.columns.stored import Count, Kind, Share, Stored, TextTypeName

WORD = re.compile(r"\b[^\W\d_]{2,}\b")
LETTERS = {"9": (ord("0"), 10), "a": (ord("a"), 26), "A": (ord("A"), 26)}  # the first, and how many
MOST_OUTLINES = 200
MOST_LENGTH = 500  # of an outline
MOST_WORDS = 2000
SAMPLE = 10_000  # texts tell whether the column is prose
WORD_BYTES = 8  # of a word with its blank, where there are many
LINE_BYTES = 128  # of a name, an address and the like
LEAST_LOOKS = 64  # for a text that is new, where the table may have most of those that are made up
MOST_CHARACTERS = 1 << 21  # more than a cell may hold
MOST_OF_ONE_CASE = 0.9
Case = Literal["upper", "lower"]
CASES: dict[Case, Callable[[pa.Array], pa.Array]] = {"upper": pc.utf8_upper, "lower": pc.utf8_lower}


class TextCodec(Stored):
    """`outlines` (digits as 9, letters as a and A) and numbers of words, each with its count, at least k rows."""

    kind: Literal["text"] = "text"
    name: str
    column_kind: Kind = ColumnKind.TEXT
    arrow_type: TextTypeName
    pii: str | None
    outlines: tuple[Annotated[str, Field(min_length=1, max_length=MOST_LENGTH)], ...]
    outline_counts: tuple[Count, ...]
    words: tuple[Annotated[int, Field(ge=1, le=MOST_WORDS)], ...]
    word_counts: tuple[Count, ...]
    longest: Annotated[int, Field(ge=1, le=MOST_CHARACTERS)]
    null_share: Share
    seen: Seen
    case: Case | None = Field(default=None, exclude_if=lambda case: case is None)  # files of before have none
    empty_share: Share = Field(default=0.0, exclude_if=lambda share: share == 0)  # of what is there; nor have they this

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if len(self.outlines) != len(self.outline_counts) or len(self.words) != len(self.word_counts):
            raise ValueError("values and counts do not fit together")
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
        is_empty = pc.equal(texts, "")
        empty_share = float(np.mean(is_empty)) if k <= is_empty.true_count < len(texts) else 0.0
        texts = texts.filter(pc.invert(is_empty)) if empty_share else texts
        words = pc.list_value_length(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(texts))).to_numpy()
        numbers, counts = np.unique(np.clip(words, 1, MOST_WORDS), return_counts=True)
        usual = counts >= k
        if not usual.any():  # of so few rows nothing nearer than the median to a power of two may be kept
            median = max(1 << int(np.median(words)).bit_length() >> 1, 1)
            numbers, counts, usual = np.array([median]), np.ones(1, int), np.ones(1, bool)
        outlines, outline_counts = ([], []) if _is_prose(texts) else _common_outlines(texts, k)
        written = as_written(pii, name, texts) if pii and len(texts) >= k else pii
        return cls(
            name=name,
            arrow_type=str(arrow.for_fresh(column.type)),
            pii=written,
            outlines=tuple(outlines),
            outline_counts=tuple(outline_counts),
            words=tuple(numbers[usual].tolist()),
            word_counts=tuple(counts[usual].tolist()),
            longest=min(
                _all_ones(pc.max(pc.utf8_length(arrow.plain(whole).cast(pa.string()))).as_py()), MOST_CHARACTERS
            ),
            null_share=arrow.kept_nulls(array, k) / len(array),
            seen=Seen.nothing(rng, folded=True),
            case=_case_of(texts) if written in WRITTEN_AS and len(texts) >= k else None,
            empty_share=empty_share,
        )

    def to_avoid(self, column: pa.ChunkedArray) -> pa.Array:
        """The texts that might be made up, in whatever case: of the others the model's file need not know."""
        texts = pa.array(
            folded(arrow.plain(column).cast(pa.string()).unique().drop_null().to_numpy(False)), pa.string()
        )
        if self.pii in WRITTEN_AS:
            return texts.filter(could_be_personal(self.pii, texts))
        if self.outlines:
            outlines = pa.array(folded(np.array(self.outlines, dtype=object)), pa.string())
            return texts.filter(pc.is_in(outlines_of(texts), outlines))
        word = f"({'|'.join(_words())})"
        return texts.filter(pc.match_substring_regex(texts, f"^{word}( {word})*$", ignore_case=True))

    @property
    def learned(self) -> LearnedColumn:
        return LearnedColumn(self.name, ColumnKind.TEXT, self.null_share > 0, widest=self._widest)

    @property
    def _widest(self) -> int:
        """Bytes of the longest cell: of one that is longer than all of the table, if nothing else will do."""
        outlined = max((len(outline.encode()) for outline in self.outlines), default=0)
        prose = 0 if outlined else WORD_BYTES * max(self.words, default=0)
        return max(outlined, prose, LINE_BYTES) + WORD_BYTES * (self.longest // 2 + 1)

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
        if self.empty_share:  # nobody's
            texts[rng.random(len(rows)) < self.empty_share] = ""
        null = rng.random(len(rows)) < self.null_share
        return arrow.as_type(pa.array(texts, pa.string(), mask=null), arrow.type_of(self.arrow_type))

    def _written(self, count: int, rng: np.random.Generator) -> pa.Array:
        if self.pii in WRITTEN_AS:
            texts = personal_texts(self.pii, count, rng)
            return CASES[self.case](texts) if self.case else texts
        return self._outlined(count, rng) if self.outlines else self._prose(count, rng)

    def _outlined(self, count: int, rng: np.random.Generator) -> pa.Array:
        shares = np.array(self.outline_counts) / sum(self.outline_counts)
        chosen = rng.choice(len(self.outlines), count, p=shares)
        texts = np.empty(count, dtype=object)
        for which in np.unique(chosen):
            places = np.flatnonzero(chosen == which)
            firsts, sizes = np.array([LETTERS.get(mark, (ord(mark), 1)) for mark in self.outlines[which]]).T
            offsets = (rng.random((len(places), len(sizes)), dtype=np.float32) * sizes).astype(np.uint32)
            letters = firsts.astype(np.uint32) + offsets
            texts[places] = letters.view(f"<U{len(sizes)}")[:, 0].astype(object)
        return pa.array(texts, pa.string())

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


def _common_outlines(texts: pa.Array, k: int) -> tuple[list[str], list[int]]:
    """The most frequent outlines of at least k texts, and their counts."""
    counted = pc.value_counts(outlines_of(texts))
    counts = counted.field("counts").to_numpy()
    common = np.argsort(-counts, kind="stable")[:MOST_OUTLINES]
    common = common[counts[common] >= k]
    kept = [
        (outline, count)
        for outline, count in zip(
            counted.field("values").take(pa.array(common)).to_pylist(), counts[common].tolist(), strict=True
        )
        if 0 < len(outline) <= MOST_LENGTH
    ]
    return [outline for outline, _ in kept], [count for _, count in kept]


@cache
def _words() -> np.ndarray:
    from synthgen_ray.synthesizers.columns.words import LISTS

    return np.array(sorted(set(LISTS["text"])))


def _all_ones(length: int) -> int:
    """The next of 7, 15, 31 .. that is not below a length: the length is one row's, of which no more may be kept."""
    return max(7, (1 << int(length).bit_length()) - 1)
