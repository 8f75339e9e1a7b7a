"""Singling out: statements that fit exactly one row of the synthetic table, and so perhaps of the real one.

Source: Giomi et al. 2023, PoPETs 2023(2) (univariate and multivariate singling out). The statements are as there, and
the rate is that among those that were found, not among those that were wished for. Where N rows were learnt and n held
out, the control is not extrapolated from n to N, but counted: a statement that fits t of all rows fits, by chance, just
one of the N and t - 1 of the n as often as none of the N and t of the n, times N t / (n - t + 1).
"""

import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.assessment import Attack
from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.copies import fingerprints
from synthgen_ray.quality.risk import Tries, attack, untold, whole

ATTACKS = 500
MOST_CANDIDATES = 40 * ATTACKS
LEAST = 10  # statements: of fewer nothing could be said, and hardly a row stands out
ATTRIBUTES = 3  # of a row that a statement is about
SPLITS = 200
MOST_FITTED = 1_000  # rows: what fits more hits one real row, or none, in hardly any split

ON_NUMBERS = (operator.eq, operator.ne, operator.gt, operator.lt, operator.ge, operator.le)
ON_CATEGORIES = (operator.eq, operator.ne)


class Term(NamedTuple):
    """`column` `compare` `value`; a value that is null is only ever looked for."""

    column: str
    compare: Callable[[Array, float], Array]
    value: float


Statement = tuple[Term, ...]


def singling_out(real: Cells, synthetic: Cells, holdout: Cells, seed: int, *, k: int = 1) -> tuple[Attack, ...]:
    """By statements about one attribute, and about three. Empty where hardly any fits just one synthetic row.

    No count of fewer than `k` rows follows.
    """
    chance = np.random.default_rng(seed)
    synthetic = distinct(synthetic)
    values = {name: np.unique(column) for name, column in synthetic.columns.items()}
    ways = {1: by_one_attribute(synthetic, chance)}
    if len(real.names) >= ATTRIBUTES:
        ways[ATTRIBUTES] = by_attributes(synthetic, ATTRIBUTES, chance)
    lengths, found = real.num_rows / holdout.num_rows, []
    for width, candidates in ways.items():
        statements = isolating(candidates, synthetic, ATTACKS)
        by = "1 attribute" if width == 1 else f"{width} attributes"
        if LEAST <= len(statements) < 2 * k:
            found.append(untold("singling_out", by, len(statements)))
        elif len(statements) >= LEAST:
            statements = statements[: whole(len(statements), k)]
            guesses = [at_random(synthetic, values, width, chance) for _ in range(whole(ATTACKS, k))]
            guessed = Tries(len(singled_out(guesses, real)), len(guesses))
            seen, unseen, shared = tried(statements, real, holdout, seed, k)
            tries = seen, guessed, unseen
            found.append(attack("singling_out", by, *tries, among=len(ways), k=k, lengths=lengths, crowding=shared))
    return tuple(found)


def tried(
    statements: Sequence[Statement], real: Cells, holdout: Cells, seed: int, k: int
) -> tuple[Tries, Tries, float]:
    """How many fit just one real row; how many would by chance; and how many at a time count as one."""
    hits, misses, attempts = singled_out(statements, real), missed(statements, real, holdout), len(statements)
    seen = Tries(len(hits), attempts).told(k)
    unseen = Tries(min(by_chance(misses, holdout.num_rows), attempts), attempts).told(k)
    shared = max(crowding(hits, list(chain(*misses))), design_effect(statements, real, holdout, seed))
    if k > 1:
        # Of few it would tell that there is a row that several hit.
        shared = round(4 * shared) / 4 if seen.successes or unseen.successes else float(k)
    return seen, unseen, shared


def distinct(cells: Cells) -> Cells:
    """Each row once: of twins none can be singled out, though both are alike."""
    _, places = np.unique(fingerprints(cells), return_index=True)
    return cells.rows(np.sort(places))


def by_one_attribute(synthetic: Cells, chance: np.random.Generator) -> Iterator[Statement]:
    """Values that one row has, a null that is alone, the ends of each range; in random order."""
    counts = np.array([_num_of_one_row(synthetic, name) for name in synthetic.names])
    ends = np.cumsum(counts)
    drawn = chance.choice(ends[-1], min(int(ends[-1]), MOST_CANDIDATES), replace=False)
    columns = np.searchsorted(ends, drawn, side="right")
    found: dict[int, Term] = {}  # only what is drawn is made: nearly each cell of a number could be one
    for column in np.unique(columns).tolist():
        name, first = synthetic.names[column], ends[column] - counts[column]
        few, values = _of_one_row(synthetic, name)
        for place in np.flatnonzero(columns == column).tolist():
            at = int(drawn[place] - first)
            found[place] = few[at] if at < len(few) else Term(name, operator.eq, values[at - len(few)])
    for place in range(len(drawn)):
        yield (found[place],)


def _num_of_one_row(cells: Cells, name: str) -> int:
    few, values = _of_one_row(cells, name)
    return len(few) + len(values)


def _of_one_row(cells: Cells, name: str) -> tuple[list[Term], Array]:
    """A null that is alone and the ends of the range; the values that one row has."""
    column, nulls = cells.columns[name], cells.nulls(name)
    values, counts = np.unique(column[~nulls], return_counts=True)
    few = []
    if nulls.sum() == 1:
        few.append(Term(name, operator.eq, math.nan if cells.is_number(name) else NULL))
    if cells.is_number(name) and len(values):
        few += [Term(name, operator.le, values[0]), Term(name, operator.ge, values[-1])]
    return few, values[counts == 1]


def by_attributes(synthetic: Cells, width: int, chance: np.random.Generator) -> Iterator[Statement]:
    """Of random rows some random attributes: the same category; a number as far out, from the median, or farther."""
    names = synthetic.names
    medians = {
        name: np.nanmedian(column)
        for name, column in synthetic.columns.items()
        if synthetic.is_number(name) and not np.isnan(column).all()
    }
    for place in chance.integers(0, synthetic.num_rows, MOST_CANDIDATES):
        terms = []
        for column in chance.choice(len(names), width, replace=False):
            name = names[column]
            value = float(synthetic.columns[name][place])
            if math.isnan(value):
                terms.append(Term(name, operator.eq, math.nan))
            elif synthetic.is_number(name):
                terms.append(Term(name, operator.ge if value > medians[name] else operator.le, value))
            else:
                terms.append(Term(name, operator.eq, value))
        yield tuple(terms)


def at_random(synthetic: Cells, values: dict[str, Array], width: int, chance: np.random.Generator) -> Statement:
    """What a guesser would say who knows which `values` there are, but not how they go together."""
    terms = []
    for column in chance.choice(len(synthetic.names), width, replace=False):
        name = synthetic.names[column]
        value = float(chance.choice(values[name]))
        compares = ON_NUMBERS if synthetic.is_number(name) and not math.isnan(value) else ON_CATEGORIES
        terms.append(Term(name, compares[chance.integers(len(compares))], value))
    return tuple(terms)


def isolating(candidates: Iterable[Statement], cells: Cells, most: int) -> list[Statement]:
    """Those that fit exactly one row, each once."""
    found: dict[Statement, None] = {}
    for statement in candidates:
        if fitting(statement, cells) == 1:
            found[statement] = None
        if len(found) == most:
            break
    return list(found)


def singled_out(statements: Iterable[Statement], cells: Cells) -> list[int]:
    """The row that it fits, for each statement that fits just one."""
    places = (np.flatnonzero(_fits(statement, cells)) for statement in statements)
    return [int(rows[0]) for rows in places if len(rows) == 1]


def missed(statements: Iterable[Statement], real: Cells, holdout: Cells) -> list[list[int]]:
    """The rows of the hold-out that it fits, for each statement that fits some of these and none of the real ones."""
    places = (np.flatnonzero(_fits(statement, holdout)) for statement in statements if not fitting(statement, real))
    return [rows.tolist() for rows in places if len(rows)]


def by_chance(unseen: Sequence[list[int]], held_out: int) -> float:
    """How many statements would fit just one real row by chance, were there as many of these as were held out."""
    return sum(len(rows) * held_out / (held_out - len(rows) + 1) for rows in unseen)


def crowding(*hits: Sequence[int]) -> float:
    """How many hits share a row of their table, in the mean over them: so many fewer are independent."""
    counts = np.array([count for rows in hits for count in Counter(rows).values()])
    return float((counts**2).sum()) / int(counts.sum()) if len(counts) else 1.0


def design_effect(statements: Sequence[Statement], real: Cells, holdout: Cells, seed: int) -> float:
    """How many times as much as for independent statements the difference of the two rates deviates by chance alone.

    By chance: over splits of all rows into as many to learn and to hold out. Statements that fit the same rows, or
    overlap, are right and wrong together; `crowding` knows of those alone that hit one row in this very split.

    Source: Kish 1965, Survey Sampling, sec. 8.2 (the design effect); the splits are those of a permutation test.
    """
    chance = np.random.default_rng(seed)
    learnt, held_out, attempts = real.num_rows, holdout.num_rows, len(statements)
    fitted = [_few(np.append(_fits(one, real), _fits(one, holdout))) for one in statements]
    counts = np.array([len(places) for places in fitted])
    owners = np.repeat(np.arange(attempts), counts)
    rows, places = np.unique(np.concatenate(fitted), return_inverse=True)
    seen, unseen = np.zeros((2, SPLITS))
    for split in range(SPLITS):
        is_held_out = chance.permutation(len(rows)) < chance.hypergeometric(held_out, learnt, len(rows))
        others = np.bincount(owners, is_held_out[places], attempts)
        seen[split] = np.mean(counts - others == 1)
        only_others = others[(others == counts) & (counts > 0)]
        unseen[split] = min((only_others * held_out / (held_out - only_others + 1)).sum() / attempts, 1)
    times = learnt / held_out
    r, c = seen.mean(), unseen.mean()
    independent = (r * (1 - r) + times**2 * c * (1 - c)) / attempts
    return float(np.var(seen - times * unseen) / independent) if independent else 1.0


def _few(fits: Array) -> Array:
    """The places of those that fit; none where they are many, whose places would be most of the memory."""
    return np.flatnonzero(fits if np.count_nonzero(fits) <= MOST_FITTED else ())


def fitting(statement: Statement, cells: Cells) -> int:
    """How many rows a statement fits."""
    return int(np.count_nonzero(_fits(statement, cells)))


def _fits(statement: Statement, cells: Cells) -> Array:
    """(N,) of booleans."""
    fits: Array = np.ones(cells.num_rows, bool)
    for column, compare, value in statement:
        if math.isnan(value):
            fits &= compare(cells.nulls(column), True)
        else:
            fits &= compare(cells.columns[column], value)
    return fits
