"""The risk of an attack: what the rows that training saw lose beyond those that it did not see.

Source: Giomi, Boenisch, Wehmeyer and Tasnádi 2023, "A Unified Framework for Quantifying Privacy Risk in Synthetic
Data", PoPETs 2023(2); equal to the package `anonymeter` for the same numbers of successes.
"""

import math
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from synthgen_ray.quality.assessment import Attack, Measure
from synthgen_ray.quality.numbers import Z, wilson

MOST_CONTROL = 0.99  # beyond it nothing is left to lose


class Tries(NamedTuple):
    successes: float
    attempts: int

    @property
    def rate(self) -> float:
        return self.successes / self.attempts

    def told(self, k: int) -> "Tries":
        """In whole steps of `k`, so that no smaller count follows from it; of 1, as it is."""
        return self if k == 1 else Tries(k * round(self.successes / k), self.attempts)

    def plus(self, more: int) -> "Tries":
        """With so many more successes, as far as there can be."""
        return Tries(min(max(self.successes + more, 0), self.attempts), self.attempts)


Kind = Literal["singling_out", "inference"]


def whole(attempts: int, k: int) -> int:
    """Whole steps of `k`: then those that fail are such steps where those that succeed are."""
    return attempts - attempts % k


def attack(
    name: Kind,
    by: str,
    seen: Tries,
    guessed: Tries,
    unseen: Tries,
    *,
    among: int,
    k: int = 1,
    lengths: float = 1.0,
    crowding: float = 1.0,
) -> Attack:
    """`seen` are the attempts on rows that training saw, `guessed` those without a model, `unseen` those on others.

    It is one `among` so many attacks. Successes are told in whole steps of `k`, and what is certain is so of all that
    these may stand for. Of the others there are fewer by the factor `lengths`; of `crowding` attempts at a time one is
    independent.
    """
    seen, guessed, unseen = (tries.told(k) for tries in (seen, guessed, unseen))
    return Attack(
        name=name,
        by=by,
        attempts=seen.attempts,
        success=_measure(_rate(seen, 1, crowding)),
        baseline=_measure(_rate(guessed, 1, 1)),
        control=_measure(_rate(unseen, lengths, crowding)),
        risk=residual_risk(seen, unseen, lengths, crowding),
        certain_risk=certain_risk(seen.plus(-(k // 2)), unseen.plus(k // 2), among, lengths, crowding),
    )


def untold(name: Kind, by: str, attempts: int) -> Attack:
    """Of fewer attempts than two steps of k: all or none, whatever succeeded."""
    nothing = Measure(value=None)
    return Attack(name=name, by=by, attempts=attempts, success=nothing, baseline=nothing, control=nothing, risk=nothing)


def residual_risk(seen: Tries, unseen: Tries, lengths: float = 1.0, crowding: float = 1.0) -> Measure:
    """(r - c) / (1 - c) of the two success rates, cut to 0 to 1, with the interval that follows from those of r and c.

    Rates are the centres of Wilson's intervals, and how far the ends of these lie from them is propagated as if they
    were independent: for the low end that of r below and that of c above it. Source: Newcombe 1998, Statistics in
    Medicine 17, 873-890, method 10.
    """
    r, c = _rate(seen, 1, crowding), _rate(unseen, lengths, crowding)
    control = min(c.value, MOST_CONTROL)
    by_seen, by_unseen = 1 / (1 - control), (1 - r.value) / (1 - control) ** 2
    value = (r.value - control) * by_seen
    below = math.hypot(by_seen * (r.value - r.low), by_unseen * (c.high - c.value))
    above = math.hypot(by_seen * (r.high - r.value), by_unseen * (c.value - c.low))
    return _measure(_Between(value - below, value, value + above))


def certain_risk(seen: Tries, unseen: Tries, among: int, lengths: float = 1.0, crowding: float = 1.0) -> float:
    """The risk less what one of `among` attacks has by chance, in 97.5 % of tables; at least 0.

    It is the low end of 1 - a ratio of two rates of failure. The interval of `residual_risk` is too narrow where nearly
    all attempts succeed: of ten columns in which nearly all rows are alike, one was at risk in every tenth table that
    remembers nothing.

    Source: Donner and Zou 2012, Stat. Methods Med. Res. 21, 347-359, and Newcombe 2016, the same 25, 1774-1778
    (MOVER-R), of Wilson's intervals; Bonferroni's correction.
    """
    z = NormalDist().inv_cdf(1 - 0.025 / among)
    failing, others = 1 - seen.rate, 1 - lengths * unseen.rate
    above = seen.rate - _ends(seen, crowding, z)[0]
    below = lengths * (_ends(unseen, crowding, z)[1] - unseen.rate)
    if others <= abs(below):  # all of the others may have succeeded
        return 0.0
    squares = (others - below) * (others + below)
    ratio = (failing * others + math.hypot(failing * below, above * math.sqrt(squares))) / squares
    return round(max(1 - ratio, 0.0), 3)


class _Between(NamedTuple):
    low: float
    value: float
    high: float


def _rate(tries: Tries, lengths: float, crowding: float) -> _Between:
    """The centre of Wilson's interval, and the ends of that of the independent ones; as of a longer table.

    An interval that is stretched about its centre would end near 0 where a short hold-out was missed by luck: it does
    not know how few attempts these successes are of. Source: Korn and Graubard 1998, Survey Methodology
    24, 193-201 (the effective sample size in an interval for rare events).
    """
    centre, _ = wilson(*tries)
    low, high = _ends(tries, crowding)
    return _Between(lengths * low, lengths * centre, lengths * high)


def _ends(tries: Tries, crowding: float, z: float = Z) -> tuple[float, float]:
    middle, half = wilson(tries.successes / crowding, tries.attempts / crowding, z)
    return middle - half, middle + half


def _measure(found: _Between) -> Measure:
    low, value, high = np.clip(found, 0.0, 1.0).tolist()
    return Measure(value=value, low=low, high=high)
