"""Correlated normal rows, some of whose dimensions are bound to intervals.

The bound dimensions come first: one after the other given those before (exact for one), as the GHK simulator draws
them. A row that it draws is too likely where the later bounds are hard to meet, by the factor

    q(z) / p(z)  ~  1 / Π_c P(bound c | z_1 .. z_c-1)

so more rows than are asked for are drawn, weighed by that product, and chosen by their weights: sequential importance
sampling with resampling. A Gibbs sampler over all of them then tells rows that were chosen twice apart. Alone it would
not do: between two intervals of closely related columns it never jumps.
Where there are many intervals a row does not weigh each of them. It draws one as a row with a mean nearby would, by a
table that such rows share; importance weights, and in the sweeps Metropolis's rule, make up for the difference.
A bound may hold for some rows only: what is asked of a column's value does not where the column is null. Which rows
these are is chosen with the particles, and the sweeps leave it.
The others follow in one step from the conditional normal, which is exact.
Sources: Keane 1994, "A computationally practical simulation estimator for panel data", section 3 (GHK); Liu & Chen
1998, "Sequential Monte Carlo methods for dynamic systems", section 3 (when to resample, and how); Geweke 1991,
"Efficient simulation from the multivariate normal subject to linear constraints", and Robert 1995, arXiv:0907.4010 (the
Gibbs sampler); Hastings 1970, "Monte Carlo sampling methods using Markov chains and their applications", section 2.5
(proposals that do not look at where a row is).
Shapes: N rows, P of them before they are chosen, D dimensions, C of them bound, A intervals of one of them, M means.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Self

import numpy as np
from scipy.special import logsumexp

from synthgen_ray.synthesizers.columns.marginal import FAR
from synthgen_ray.synthesizers.columns.normal import log_probability, truncated_normal
from synthgen_ray.synthesizers.numerics.noise import normals
from synthgen_ray.synthesizers.sampling.weighted import effective_size, resampled

SWEEPS = 30
LEAST_PARTICLES, PARTICLES_A_ROW = 4000, 2
WORN = 1 / 2  # of the particles: if weights are worth fewer, they are resampled before the next bound
FEW = 16  # intervals, of all bounds together: up to here each row weighs each of them
MEANS = 64  # for which a table has the chances of many intervals
KEPT = 2  # choices of bound dimensions; for 1,000 columns one takes 8 MB, and a third of a second to find
WHOLE = 16  # products of whole tiles have the same last digits on any number of threads


@dataclass(frozen=True)
class Bound:
    """The intervals that a dimension may be in, each with a weight. Shapes: (A,).

    It does not hold for rows that are in the last interval of another bound, the one just before, if it is `lifted`.
    """

    dimension: int
    lows: np.ndarray
    highs: np.ndarray
    weights: np.ndarray
    lifted: bool = False


class CorrelatedNormal:
    """Normal rows with these correlations. What follows from which dimensions are bound is kept from call to call."""

    def __init__(self, correlation_DD: np.ndarray) -> None:
        self.correlation_DD = correlation_DD
        self._rest = lru_cache(KEPT)(self._rest_of)

    def __reduce__(self) -> tuple[type[Self], tuple[np.ndarray]]:
        """To other processes without what is kept."""
        return type(self), (self.correlation_DD,)

    def draw(
        self, bounds: Sequence[Bound], num_rows: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Rows as columns, (D, N), and for each bound which of its intervals each row is in."""
        rest = self._rest(tuple(one.dimension for one in bounds))
        z_NC, choices = _draw_bound(rest.inner_CC, bounds, num_rows, rng)
        padded = -(-num_rows // WHOLE) * WHOLE
        free_FN = (rest.root_FF @ normals(rng, len(rest.free), padded).astype(np.float64))[:, :num_rows]
        if not bounds:
            return free_FN, choices
        z_DN = np.empty((len(self.correlation_DD), num_rows))
        z_DN[rest.bound] = z_NC.T
        z_DN[rest.free] = free_FN + rest.slope_CF.T @ z_NC.T
        return z_DN, choices

    def _rest_of(self, dimensions: tuple[int, ...]) -> "_Rest":
        bound = np.array(dimensions, dtype=int)
        free = np.setdiff1d(np.arange(len(self.correlation_DD)), bound)
        inner_CC, rest_FF = (self.correlation_DD[np.ix_(one, one)] for one in (bound, free))
        slope_CF = np.linalg.solve(inner_CC, self.correlation_DD[np.ix_(bound, free)])
        rest_FF -= self.correlation_DD[np.ix_(free, bound)] @ slope_CF
        return _Rest(bound, free, inner_CC, slope_CF, _root(rest_FF))


class _Rest(NamedTuple):
    """The normal of the dimensions that are free, given those that are bound."""

    bound: np.ndarray
    free: np.ndarray
    inner_CC: np.ndarray
    slope_CF: np.ndarray
    root_FF: np.ndarray


def _draw_bound(
    inner_CC: np.ndarray, bounds: Sequence[Bound], num_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    z_NC, choices = _start(inner_CC, bounds, num_rows, rng)
    precision = np.linalg.inv(inner_CC)
    intervals: list[_Weighed | _Tabled] = []
    for sweep in range(SWEEPS if len(bounds) > 1 else 0):
        for place, (bound, way) in enumerate(zip(bounds, _ways(bounds), strict=True)):
            sd = float(precision[place, place]) ** -0.5
            mean = z_NC[:, place] - z_NC @ precision[place] * sd**2
            if sweep == 0:
                intervals.append(way(bound, mean, sd))
            if not _lifts(bounds, place):
                choices[place] = intervals[place].at(mean).redrawn(choices[place], rng)
            is_free = _free(bounds, place, choices[place - 1])
            z_NC[:, place] = _inside(bound, choices[place], is_free, mean, sd, rng)
    return z_NC, choices


def _start(
    inner_CC: np.ndarray, bounds: Sequence[Bound], num_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows as likely as the bounds have them, some of them several times."""
    particles = max(LEAST_PARTICLES, PARTICLES_A_ROW * num_rows) if len(bounds) > 1 else num_rows
    z_PC, choices_PC = np.empty((particles, len(bounds))), np.zeros((particles, len(bounds)), dtype=np.int64)
    log_weights_P = np.zeros(particles)
    for place, (bound, way) in enumerate(zip(bounds, _ways(bounds), strict=True)):
        if effective_size(log_weights_P) < WORN * particles:
            kept = resampled(log_weights_P, particles, rng)
            z_PC, choices_PC, log_weights_P = z_PC[kept], choices_PC[kept], np.zeros(particles)
        mean, sd = _given_before(inner_CC, place, z_PC)
        intervals = way(bound, mean, sd)
        choices_PC[:, place] = choice = intervals.drawn(rng)
        is_free = _free(bounds, place, choices_PC[:, place - 1])
        if len(bounds) > 1:
            log_weights_P += np.where(is_free, 0.0, intervals.log_weights(choice))
        z_PC[:, place] = _inside(bound, choice, is_free, mean, sd, rng)
    if len(bounds) > 1:
        kept = rng.permutation(resampled(log_weights_P, num_rows, rng))
        z_PC, choices_PC = z_PC[kept], choices_PC[kept]
    return z_PC, list(np.ascontiguousarray(choices_PC.T))


def _lifts(bounds: Sequence[Bound], place: int) -> bool:
    return place + 1 < len(bounds) and bounds[place + 1].lifted


def _free(bounds: Sequence[Bound], place: int, choice_before: np.ndarray) -> np.ndarray | bool:
    """For which rows a bound does not hold."""
    return choice_before == len(bounds[place - 1].lows) - 1 if bounds[place].lifted else False


class _Weighed:
    """One of a bound's intervals for each row, drawn by weight and probability. Of a few: each row weighs all."""

    def __init__(self, bound: Bound, mean: np.ndarray, sd: float) -> None:
        self._bound, self._mean, self._sd = bound, mean, sd

    def at(self, mean: np.ndarray) -> Self:
        """Of rows with these means."""
        return type(self)(self._bound, mean, self._sd)

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        if len(self._bound.lows) == 1:
            return np.zeros(len(self._mean), dtype=np.int64)
        return np.asarray(np.argmax(self._log_masses_NA + rng.gumbel(size=self._log_masses_NA.shape), axis=1))

    def redrawn(self, choice: np.ndarray, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG002 - as of many
        return self.drawn(rng)

    def log_weights(self, choice: np.ndarray) -> np.ndarray:  # noqa: ARG002 - as of many
        """What a row weighs that was drawn so: the mean of the weights is the chance of the bound."""
        return np.asarray(logsumexp(self._log_masses_NA, axis=1))

    @cached_property
    def _log_masses_NA(self) -> np.ndarray:
        return _log_masses(self._bound, self._mean, self._sd)


class _Tabled:
    """The same of many: a row draws as the nearest of some means would, which have a table of chances each.

    A table's normal is wider by the distance between two of them, so that no interval is much rarer in it than it is
    for the row. Rows that have all the same mean draw exactly.
    """

    def __init__(self, bound: Bound, mean: np.ndarray, sd: float) -> None:
        self._bound, self._sd = bound, sd
        self._least, most = (float(mean.min()), float(mean.max())) if len(mean) else (0.0, 0.0)
        self._step = (most - self._least) / (MEANS - 1)
        means_M = np.linspace(self._least, most, MEANS if self._step else 1)
        log_masses_MA = _log_masses(bound, means_M, float(np.hypot(sd, self._step)))
        self._log_shares_MA = log_masses_MA - logsumexp(log_masses_MA, axis=1, keepdims=True)
        ends_MA = np.cumsum(np.exp(self._log_shares_MA), axis=1)
        # One table behind the other, so that one search looks in all of them.
        self._ends = (ends_MA / ends_MA[:, -1:] + np.arange(len(means_M))[:, None]).ravel()
        self._place(mean)

    def at(self, mean: np.ndarray) -> Self:
        """Of rows with these means, by the same tables: rows beyond them have the outermost."""
        moved = copy(self)
        moved._place(mean)
        return moved

    def _place(self, mean: np.ndarray) -> None:
        steps_N = np.rint((mean - self._least) / (self._step or 1.0))
        self._mean, self._nearest_N = mean, np.clip(steps_N, 0, len(self._log_shares_MA) - 1).astype(np.int64)

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        intervals = len(self._bound.lows)
        places_N = np.searchsorted(self._ends, self._nearest_N + rng.random(len(self._mean)), side="right")
        return np.asarray(np.minimum(places_N - self._nearest_N * intervals, intervals - 1))

    def redrawn(self, choice: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An independent draw, or with the chance that makes up for the table's error the same again."""
        other = self.drawn(rng)
        gain = self.log_weights(other) - self.log_weights(choice)
        return np.where(-rng.standard_exponential(len(gain)) < gain, other, choice)

    def log_weights(self, choice: np.ndarray) -> np.ndarray:
        lows, highs = self._bound.lows[choice], self._bound.highs[choice]
        log_masses_N = log_probability((lows - self._mean) / self._sd, (highs - self._mean) / self._sd)
        log_masses_N += np.log(self._bound.weights[choice])
        return np.asarray(log_masses_N - self._log_shares_MA[self._nearest_N, choice])


def _ways(bounds: Sequence[Bound]) -> list[type[_Weighed] | type[_Tabled]]:
    many = sum(len(bound.lows) for bound in bounds) > FEW
    return [_Tabled if many and len(bound.lows) > 1 else _Weighed for bound in bounds]


def _inside(
    bound: Bound,
    choice: np.ndarray,
    is_free: np.ndarray | bool,
    mean: np.ndarray,
    sd: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """A place for each row in the interval that it has; anywhere for those that are free."""
    low, high = (np.where(is_free, end, ends[choice]) for end, ends in ((-FAR, bound.lows), (FAR, bound.highs)))
    return truncated_normal(mean, np.full(len(mean), sd), np.minimum(low, high), high, rng)


def _log_masses(bound: Bound, mean: np.ndarray, sd: float) -> np.ndarray:
    """Of each interval its weight times its probability, (N, A)."""
    above, below = ((ends - mean[:, None]) / sd for ends in (bound.lows, bound.highs))
    return np.asarray(log_probability(above, below) + np.log(bound.weights))


def _given_before(inner_CC: np.ndarray, place: int, z_NC: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean (N,) and standard deviation of a dimension given those before it."""
    slope = np.linalg.solve(inner_CC[:place, :place], inner_CC[:place, place])
    return z_NC[:, :place] @ slope, max(1 - float(inner_CC[place, :place] @ slope), 1e-12) ** 0.5


def _root(matrix: np.ndarray) -> np.ndarray:
    """R with R Rᵀ = matrix, which may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
