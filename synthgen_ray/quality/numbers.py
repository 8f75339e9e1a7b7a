"""Numbers that may be undefined, and the intervals of sampled ones."""

import math
from collections.abc import Iterable
from statistics import NormalDist

from synthgen_ray.quality.assessment import Measure

Z = NormalDist().inv_cdf(0.975)  # of a 95 % interval


def defined(value: float | None) -> float | None:
    """`None` for NaN: JSON has none."""
    return None if value is None or math.isnan(value) else float(value)


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are defined; `None` if none is."""
    known = [value for value in map(defined, values) if value is not None]
    return sum(known) / len(known) if known else None


def measure(
    value: float | None,
    ceiling: float | None = None,
    error: float | None = None,
    matched: float | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Measure:
    """With the interval that a standard error gives, cut to the `limits`: those of shares, areas and scores."""
    value, error = defined(value), defined(error)
    if value is None or error is None:
        return Measure(value=value, ceiling=defined(ceiling), matched=defined(matched))
    ends = {"low": max(value - Z * error, limits[0]), "high": min(value + Z * error, limits[1])}
    return Measure(value=value, ceiling=defined(ceiling), matched=defined(matched), **ends)


def error_of_share(share: float, rows: int) -> float:
    """The standard error of a share of so many rows that were drawn; of none or all as if half a row were."""
    share = min(max(share, 0.5 / rows), 1 - 0.5 / rows)
    return math.sqrt(share * (1 - share) / rows)


def wilson(successes: float, attempts: float, z: float = Z) -> tuple[float, float]:
    """Centre and half-width of the interval of a rate, of 95 % unless `z` says otherwise.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209-212.
    """
    total = attempts + z**2
    spread = successes * (attempts - successes) / attempts + z**2 / 4
    return (successes + z**2 / 2) / total, z / total * math.sqrt(spread)
