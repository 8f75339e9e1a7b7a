"""The risk of an attack: what the rows that training saw lose beyond those that it did not see.

Source: Giomi, Boenisch, Wehmeyer and Tasnádi 2023, "A Unified Framework for Quantifying Privacy Risk in Synthetic
Data", PoPETs 2023(2); equal to the package `anonymeter` for the same numbers of successes.
"""

from typing import Literal, NamedTuple

import numpy as np

from synthgen_ray.quality.assessment import Attack, Measure
from synthgen_ray.quality.numbers import wilson


class Tries(NamedTuple):
    successes: int
    attempts: int


def attack(name: Literal["singling_out", "inference"], by: str, seen: Tries, guessed: Tries, unseen: Tries) -> Attack:
    """`seen` are the attempts on rows that training saw, `guessed` those without a model, `unseen` those on others."""
    return Attack(
        name=name,
        by=by,
        attempts=seen.attempts,
        success=_rate(seen),
        baseline=_rate(guessed),
        control=_rate(unseen),
        risk=residual_risk(seen, unseen),
    )


def residual_risk(seen: Tries, unseen: Tries) -> Measure:
    """(r - c) / (1 - c) of the two success rates, cut to 0 to 1, with the interval that follows from those of r and c.

    Rates are the centres of Wilson's intervals, and their errors are propagated as if independent.
    """
    (r, r_error), (c, c_error) = wilson(*seen), wilson(*unseen)
    value = (r - c) / (1 - c)
    error = np.hypot(r_error / (1 - c), c_error * (1 - r) / (1 - c) ** 2)
    low, value, high = np.clip([value - error, value, value + error], 0.0, 1.0).tolist()
    return Measure(value=value, low=low, high=high)


def _rate(tries: Tries) -> Measure:
    centre, half = wilson(*tries)
    return Measure(value=centre, low=max(centre - half, 0.0), high=min(centre + half, 1.0))
