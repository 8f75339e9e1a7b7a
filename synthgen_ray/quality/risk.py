"""The risk of an attack: what the rows that training saw lose beyond those that it did not see.

Source: Giomi, Boenisch, Wehmeyer and Tasnádi 2023, "A Unified Framework for Quantifying Privacy Risk in Synthetic
Data", PoPETs 2023(2); equal to the package `anonymeter` for the same numbers of successes.
"""

import math
from typing import Literal, NamedTuple

import numpy as np

from synthgen_ray.quality.assessment import Attack, Measure
from synthgen_ray.quality.numbers import wilson

MOST_CONTROL = 0.99  # beyond it nothing is left to lose


class Tries(NamedTuple):
    successes: float
    attempts: int


def attack(
    name: Literal["singling_out", "inference"],
    by: str,
    seen: Tries,
    guessed: Tries,
    unseen: Tries,
    *,
    lengths: float = 1.0,
    crowding: float = 1.0,
) -> Attack:
    """`seen` are the attempts on rows that training saw, `guessed` those without a model, `unseen` those on others.

    Of these others there are fewer by the factor `lengths`; of `crowding` attempts at a time one is independent.
    """
    return Attack(
        name=name,
        by=by,
        attempts=seen.attempts,
        success=_within(*_rate(seen, 1, crowding)),
        baseline=_within(*_rate(guessed, 1, 1)),
        control=_within(*_rate(unseen, lengths, crowding)),
        risk=residual_risk(seen, unseen, lengths, crowding),
    )


def residual_risk(seen: Tries, unseen: Tries, lengths: float = 1.0, crowding: float = 1.0) -> Measure:
    """(r - c) / (1 - c) of the two success rates, cut to 0 to 1, with the interval that follows from those of r and c.

    Rates are the centres of Wilson's intervals, and their errors are propagated as if independent.
    """
    (r, r_error), (c, c_error) = _rate(seen, 1, crowding), _rate(unseen, lengths, crowding)
    c = min(c, MOST_CONTROL)
    error = float(np.hypot(r_error / (1 - c), c_error * (1 - r) / (1 - c) ** 2))
    return _within((r - c) / (1 - c), error)


def _rate(tries: Tries, lengths: float, crowding: float) -> tuple[float, float]:
    """Centre and half-width, as of a table that is longer by this factor."""
    centre, half = wilson(*tries)
    return centre * lengths, half * lengths * math.sqrt(crowding)


def _within(value: float, error: float) -> Measure:
    low, value, high = np.clip([value - error, value, value + error], 0.0, 1.0).tolist()
    return Measure(value=value, low=low, high=high)
