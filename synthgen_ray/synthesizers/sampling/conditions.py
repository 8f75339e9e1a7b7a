"""Conditions are guarantees: every row obeys, and rows stay varied in what was not asked for.

A network gives, for each latent, the chances of every code of every column. So a latent is weighted by how likely its
row is to obey (likelihood weighting), latents are chosen in proportion to their weights, and the asked columns are
drawn from what is left of their chances. No row is ever rejected, and none repeats a latent.
Source: Fung & Chang 1990, "Weighing and integrating evidence for stochastic simulation in Bayesian networks".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthgen_ray.synthesizers.codec import LearntCodec
from synthgen_ray.synthesizers.columns.category import CategoryTarget
from synthgen_ray.synthesizers.columns.number import NumberCodec, NumberTarget
from synthgen_ray.synthesizers.columns.quantile_map import Parts
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.numerics.noise import normals
from synthgen_ray.synthesizers.sampling.categorical import draw_codes, weights_of
from synthgen_ray.synthesizers.sampling.weighted import effective_size, thinned

Targets = Mapping[str, CategoryTarget | NumberTarget]

BLOCK_ROWS = 2000  # drawn at once: what is worked on stays in the cache, and no thread count changes a sum
LEAST_CANDIDATES = 1000  # a round, so that a handful of rows has latents to choose from
MOST_ROUNDS = 16
ENOUGH = 2  # effective candidates for each row that is asked for
NEARLY_ALL = 0.9  # of the candidates count: then as many are enough as rejection needs, by the heaviest weight
TINY = 1e-30


@dataclass(frozen=True)
class Heads:
    """What a network says of B rows: logits (B, D), and how far a scalar strays from the one it names (S,).

    Each code's logits lie together in memory: of a row-major array, the transpose of (D, B).
    """

    logits_BD: np.ndarray
    spread_S: np.ndarray


@dataclass(frozen=True)
class Drawn:
    """Rows as codes (B, K) and scalars (B, S), their log weights, and the alternatives chosen for asked numbers.

    As in `Heads`, columns lie together in memory.
    """

    codes_BK: np.ndarray
    scalars_BS: np.ndarray
    log_weights_B: np.ndarray
    choices: dict[str, np.ndarray]

    def take(self, rows: np.ndarray) -> "Drawn":
        choices = {name: choice[rows] for name, choice in self.choices.items()}
        return Drawn(self.codes_BK.T[:, rows].T, self.scalars_BS.T[:, rows].T, self.log_weights_B[rows], choices)

    @staticmethod
    def joined(parts: Sequence["Drawn"]) -> "Drawn":
        return Drawn(
            np.concatenate([part.codes_BK.T for part in parts], axis=1).T,
            np.concatenate([part.scalars_BS.T for part in parts], axis=1).T,
            np.concatenate([part.log_weights_B for part in parts]),
            {name: np.concatenate([part.choices[name] for part in parts]) for name in parts[0].choices},
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

    def draw(count: int) -> Drawn:
        blocks = [min(BLOCK_ROWS, count - start) for start in range(0, max(count, 1), BLOCK_ROWS)]
        return Drawn.joined([draw_rows(propose(rows), columns, layout, targets, rng) for rows in blocks])

    if not targets or num_rows == 0:
        return draw(num_rows)
    kept, log_weights, lacking = None, np.zeros(0), num_rows
    for _ in range(MOST_ROUNDS):
        drawn = draw(max(lacking, LEAST_CANDIDATES))
        log_weights = np.append(log_weights, drawn.log_weights_B)
        kept = Drawn.joined([kept, drawn]) if kept else drawn
        places, weighing = thinned(kept.log_weights_B, num_rows, rng)
        kept = replace(kept.take(places), log_weights_B=weighing)
        effective, accepted = effective_size(log_weights), np.exp(log_weights - np.max(log_weights)).sum()
        are_alike = effective >= NEARLY_ALL * len(log_weights)
        if effective >= ENOUGH * num_rows or (are_alike and accepted >= num_rows):
            break
        lacking = min(num_rows, math.ceil((num_rows / accepted - 1) * len(log_weights))) if are_alike else num_rows
    assert kept is not None  # noqa: S101 - for mypy: there is at least one round
    return kept


def draw_rows(
    heads: Heads, columns: Sequence[LearntCodec], layout: Layout, targets: Targets, rng: np.random.Generator
) -> Drawn:
    """A row for each latent; in asked columns only what may be."""
    logits_DB = heads.logits_BD.T
    rows = logits_DB.shape[1]
    uniform_KB = rng.random((len(columns), rows), dtype=np.float32)
    codes_KB = np.empty((len(columns), rows), dtype=np.int32)
    scalars_SB = np.tanh(logits_DB[layout.scalars_S])
    if heads.spread_S.any():
        strayed_SB = scalars_SB + heads.spread_S[:, None].astype(np.float32) * normals(rng, *scalars_SB.shape)
    else:
        strayed_SB = scalars_SB.copy()
    log_weights_B = np.zeros(rows)
    choices: dict[str, np.ndarray] = {}
    number = 0
    for place, codec in enumerate(columns):
        weights_WB = weights_of(logits_DB[layout.spans[place]])
        target = targets.get(codec.name)
        if target is not None:
            shares_WB = weights_WB / weights_WB.sum(axis=0, dtype=np.float64)
            if isinstance(codec, NumberCodec) and isinstance(target, NumberTarget):
                spread = float(heads.spread_S[number])
                parts = codec.parts(target)
                part_B = np.asarray(rng.integers(len(parts.ranges) + target.null, size=rows))  # null is the last
                choices[codec.name] = np.append(parts.ranges, len(target.lows))[part_B]
                weights_WB = _asked_shares(codec, parts, part_B, shares_WB, scalars_SB[number], spread)
            elif isinstance(target, CategoryTarget):
                weights_WB = (shares_WB + TINY) * target.weights[:, None]
            log_weights_B += np.log(weights_WB.sum(axis=0))
        codes_KB[place] = draw_codes(weights_WB, uniform_KB[place])
        if isinstance(codec, NumberCodec):
            if isinstance(target, NumberTarget):
                strayed_SB[number] = _asked_scalars(
                    codec, parts, part_B, codes_KB[place], scalars_SB[number], spread, rng
                )
            number += 1
    return Drawn(codes_KB.T, np.clip(strayed_SB, -1, 1).T, log_weights_B, choices)


def _asked_shares(
    codec: NumberCodec,
    parts: Parts,
    part_B: np.ndarray,
    shares_WB: np.ndarray,
    scalars_B: np.ndarray,
    spread: float,
) -> np.ndarray:
    """The chance of each code to be in the part that its row has chosen."""
    asked_WB = np.zeros_like(shares_WB)
    value_B = part_B < len(parts.ranges)
    if value_B.any():
        modes, part = codec.modes_or_fail, part_B[value_B]
        inside_WB = modes.share_between(scalars_B[value_B], spread, *parts.bounds[part].T).T * parts.shares[part]
        asked_WB[: len(modes), value_B] = (shares_WB[: len(modes), value_B] + TINY) * inside_WB + TINY**2
    asked_WB[-1, ~value_B] = shares_WB[-1, ~value_B] + TINY
    return asked_WB


def _asked_scalars(
    codec: NumberCodec,
    parts: Parts,
    part_B: np.ndarray,
    codes_B: np.ndarray,
    scalars_B: np.ndarray,
    spread: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Where in its mode each number is, so that it is in the part that its row has chosen."""
    drawn_B = scalars_B.copy()
    value_B = part_B < len(parts.ranges)
    if value_B.any():
        bounds = parts.bounds[part_B[value_B]]
        drawn_B[value_B] = codec.modes_or_fail.draw_between(codes_B[value_B], scalars_B[value_B], spread, bounds, rng)
    return drawn_B
