"""Conditions are guarantees: every row obeys, and rows stay varied in what was not asked for.

A network gives, for each latent, the chances of every code of every column. So a latent is weighted by how likely its
row is to obey (likelihood weighting), the heaviest are chosen by weighted sampling without replacement, and the asked
columns are drawn from what is left of their chances. No row is ever rejected, and none repeats a latent.
Sources: Fung & Chang 1990, "Weighing and integrating evidence for stochastic simulation in Bayesian networks";
Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthgen_ray.synthesizers.codec import LearntCodec
from synthgen_ray.synthesizers.columns.category import CategoryTarget
from synthgen_ray.synthesizers.columns.number import NumberCodec, NumberTarget
from synthgen_ray.synthesizers.layout import Layout, draw_codes, softmax

Targets = Mapping[str, CategoryTarget | NumberTarget]

LEAST_CANDIDATES = 1000  # a round, so that a handful of rows has latents to choose from
MOST_ROUNDS = 16
ENOUGH = 2  # effective candidates for each row that is asked for
NEARLY_ALL = 0.9  # of the candidates count: then one round is enough
BLUR = 0.02  # a network that names exact scalars is taken to mean this much around them when a range is asked for
TINY = 1e-30


@dataclass(frozen=True)
class Heads:
    """What a network says of B rows: logits (B, D), and how far a scalar strays from the one it names (S,)."""

    logits_BD: np.ndarray
    spread_S: np.ndarray


@dataclass(frozen=True)
class Drawn:
    """Rows as codes (B, K) and scalars (B, S), their log weights, and the alternatives chosen for asked numbers."""

    codes_BK: np.ndarray
    scalars_BS: np.ndarray
    log_weights_B: np.ndarray
    choices: dict[str, np.ndarray]

    def take(self, rows: np.ndarray) -> "Drawn":
        choices = {name: choice[rows] for name, choice in self.choices.items()}
        return Drawn(self.codes_BK[rows], self.scalars_BS[rows], self.log_weights_B[rows], choices)

    def join(self, other: "Drawn") -> "Drawn":
        return Drawn(
            np.concatenate([self.codes_BK, other.codes_BK]),
            np.concatenate([self.scalars_BS, other.scalars_BS]),
            np.concatenate([self.log_weights_B, other.log_weights_B]),
            {name: np.concatenate([choice, other.choices[name]]) for name, choice in self.choices.items()},
        )


def draw_obeying(
    num_rows: int,
    propose: Callable[[int], Heads],
    columns: Sequence[LearntCodec],
    layout: Layout,
    targets: Targets,
    rng: np.random.Generator,
) -> Drawn:
    """Rows that meet the targets, from a bounded number of proposed latents."""
    if not targets or num_rows == 0:
        return draw_rows(propose(num_rows), columns, layout, targets, rng)
    kept, keys, log_weights = None, np.zeros(0), np.zeros(0)
    for _ in range(MOST_ROUNDS):
        drawn = draw_rows(propose(max(num_rows, LEAST_CANDIDATES)), columns, layout, targets, rng)
        log_weights = np.append(log_weights, drawn.log_weights_B)
        keys = np.append(keys, drawn.log_weights_B + rng.gumbel(size=len(drawn.log_weights_B)))
        kept = kept.join(drawn) if kept else drawn
        # The largest keys are a weighted sample; in the order of their latents, lest early rows weigh more.
        best = np.sort(np.argpartition(-keys, num_rows - 1)[:num_rows])
        kept, keys = kept.take(best), keys[best]
        effective = effective_size(log_weights)
        if effective >= ENOUGH * num_rows or effective >= NEARLY_ALL * len(log_weights):
            break
    assert kept is not None  # noqa: S101 - for mypy: there is at least one round
    return kept


def effective_size(log_weights: np.ndarray) -> float:
    """How many equally weighted draws the weights are worth: (Σw)² / Σw² (Kish 1965)."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def draw_rows(
    heads: Heads, columns: Sequence[LearntCodec], layout: Layout, targets: Targets, rng: np.random.Generator
) -> Drawn:
    """A row for each latent; in asked columns only what may be."""
    rows = len(heads.logits_BD)
    codes_BK = np.empty((rows, len(columns)), dtype=np.int32)
    scalars_BS = np.tanh(heads.logits_BD[:, layout.scalars_S].astype(np.float64))
    log_weights_B = np.zeros(rows)
    choices = {}
    number = 0
    for place, codec in enumerate(columns):
        logits = heads.logits_BD[:, layout.spans[place]].astype(np.float64)
        shares = softmax(logits + codec.offsets if codec.offsets else logits)
        target = targets.get(codec.name)
        if isinstance(codec, NumberCodec):
            spread = float(heads.spread_S[number])
            if isinstance(target, NumberTarget):
                shares, choices[codec.name] = _asked_shares(codec, target, shares, scalars_BS[:, number], spread, rng)
                log_weights_B += np.log(shares.sum(axis=1))
            codes_BK[:, place] = draw_codes(shares, rng)
            scalars_BS[:, number] = _scalars(
                codec, target, codes_BK[:, place], scalars_BS[:, number], spread, choices.get(codec.name), rng
            )
            number += 1
        else:
            if isinstance(target, CategoryTarget):
                shares = (shares + TINY) * target.weights
                log_weights_B += np.log(shares.sum(axis=1))
            codes_BK[:, place] = draw_codes(shares, rng)
    return Drawn(codes_BK, np.clip(scalars_BS, -1, 1), log_weights_B, choices)


def _asked_shares(
    codec: NumberCodec,
    target: NumberTarget,
    shares: np.ndarray,
    scalars: np.ndarray,
    spread: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """For each row one of the asked alternatives, chosen evenly, and the chance of each code to be in it."""
    choices = rng.integers(len(target), size=len(shares))
    asked = np.zeros_like(shares)
    value = _is_value(target, choices)
    if value.any():
        modes = codec.modes_or_fail
        low, high = codec.search_bounds(target)[choices[value]].T
        inside = modes.share_between(scalars[value], max(spread, BLUR), low, high)
        asked[value, : len(modes)] = (shares[value, : len(modes)] + TINY) * inside + TINY**2
    asked[~value, -1] = shares[~value, -1] + TINY
    return asked, choices


def _scalars(
    codec: NumberCodec,
    target: object,
    codes: np.ndarray,
    scalars: np.ndarray,
    spread: float,
    choices: np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Where in its mode each number is."""
    if choices is None or not isinstance(target, NumberTarget):
        return scalars + spread * rng.standard_normal(len(scalars)) if spread > 0 else scalars
    drawn = scalars.copy()
    value = _is_value(target, choices)
    if value.any():
        bounds = codec.search_bounds(target)[choices[value]]
        drawn[value] = codec.modes_or_fail.draw_between(codes[value], scalars[value], max(spread, BLUR), bounds, rng)
    return drawn


def _is_value(target: NumberTarget, choices: np.ndarray) -> np.ndarray:
    return np.asarray(choices < len(target.lows))
