"""Texts that stand for categories too rare to be kept: numbered as those are, and none of the table's."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.date_guessing import DATE
from synthgen_ray.datasets.text_typing import NEARLY_DATE
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.pattern import draw_of, patterns_of
from synthgen_ray.synthesizers.columns.seen import folded
from synthgen_ray.synthesizers.columns.shape import LEAST_COVER

MOST = 10_000
LOOKS = 30
WIDER = 2.0


def stand_ins_for(
    rare: pa.ChunkedArray, whole: pa.ChunkedArray, k: int, rng: np.random.Generator
) -> tuple[list[str], list[int]]:
    """As many texts as there are rare ones, and the rows of each; of more than `MOST` so many with the rows of all.

    None for words without a number and for dates: names that nobody has would be nonsense, and so would the 45th of
    May. `whole` has the rows that are held out too.
    """
    texts = arrow.plain(rare).cast(pa.string())
    known = arrow.plain(whole).cast(pa.string()).drop_null().unique()
    distinct = pc.value_counts(texts)
    patterns = patterns_of(texts, k, len(known) / len(distinct), WIDER)
    is_covered = sum(count for _, count in patterns) >= LEAST_COVER * len(texts)
    if not is_covered or not _most_match(texts, "[0-9]") or _most_match(texts, f"^{DATE}$|{NEARLY_DATE}"):
        return [], []
    taken, made = set(folded(known.to_numpy(False))), dict[str, None]()
    counts = -np.sort(-distinct.field("counts").to_numpy())
    for _ in range(LOOKS):
        if len(made) >= min(len(counts), MOST):
            break
        drawn = draw_of(patterns, 2 * min(len(counts), MOST), rng).to_numpy(False)
        new = (text for text, like in zip(drawn, folded(drawn), strict=True) if like not in taken)
        made |= dict.fromkeys(new)
    names = list(made)[: min(len(counts), MOST)]
    return names, [int(some.sum()) for some in np.array_split(counts, len(names))] if names else []


def _most_match(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.mean(pc.match_substring_regex(texts, pattern)).as_py() >= LEAST_COVER)
