"""Inference: guessing one attribute of a person from all others, by the synthetic row that is closest in these.

Source: Giomi et al. 2023, PoPETs 2023(2) (attribute inference). A number counts as guessed within 5 % of the guess,
as in the package `anonymeter`; a moment, of which a share means nothing, within 5 % of its column's range. So does a
number of which nearly all are within 5 % of the median, such as a year: else whoever guesses anything is right.
"""

from collections.abc import Set

import numpy as np

from synthgen_ray.quality.assessment import Attack
from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.neighbours import nearest_without_each, ranges
from synthgen_ray.quality.risk import Tries, attack, untold, whole

ATTACKS = 500
TOLERANCE = 0.05
NEARLY_ALL = 0.9
MOST_SECRETS = 100


def inference(
    real: Cells, synthetic: Cells, holdout: Cells, moments: Set[str], seed: int, *, k: int = 1
) -> tuple[Attack, ...]:
    """With each column as the secret of which `k` rows differ from the others, the riskiest first.

    Of a wide table its first hundred columns; `moments` are those of time. No count of fewer than `k` rows follows.
    """
    chance = np.random.default_rng(seed)
    num_rows = whole(min(ATTACKS, real.num_rows, holdout.num_rows), k)
    secrets = [name for name in real.names if _differing(real.columns[name]) >= k][:MOST_SECRETS]
    if num_rows < 2 * k:
        return tuple(untold("inference", name, num_rows) for name in secrets)
    seen, unseen = (cells.sample(num_rows, chance) for cells in (real, holdout))
    guessed = synthetic.rows(chance.integers(0, synthetic.num_rows, num_rows))
    closest = [
        nearest_without_each(targets, synthetic, ranges(synthetic, targets), secrets) for targets in (seen, unseen)
    ]
    attacks = []
    for name in secrets:
        width = ranges(real)[name] if name in moments else range_of_near(real.columns[name])
        tries = [
            Tries(int(is_right(guesses, targets.columns[name], width).sum()), num_rows)
            for guesses, targets in (
                (synthetic.columns[name][closest[0][name]], seen),
                (guessed.columns[name], seen),
                (synthetic.columns[name][closest[1][name]], unseen),
            )
        ]
        attacks.append(attack("inference", name, *tries, among=len(secrets), k=k))
    return tuple(sorted(attacks, key=_risks, reverse=True))


def _differing(column: Array) -> int:
    """How many have another value than most."""
    counts = np.unique(column, return_counts=True)[1]
    return int(counts.sum() - np.max(counts))


def _risks(attack: Attack) -> tuple[float, ...]:
    return attack.certain_risk or 0.0, attack.risk.low or 0.0, attack.risk.value or 0.0


def range_of_near(column: Array) -> float | None:
    """The range of numbers that are nearly all within 5 % of the median, but for the few that are not; else `None`."""
    if column.dtype != np.float64 or np.isnan(column).all():
        return None
    known = column[~np.isnan(column)]
    near = known[is_right(np.full_like(known, np.median(known)), known)]
    return float(np.ptp(near)) or None if len(near) > NEARLY_ALL * len(known) else None


def is_right(guesses: Array, secrets: Array, width: float | None = None) -> Array:
    """(N,) of booleans. Codes must be the same; numbers near, by a range `width` if there is one."""
    if guesses.dtype != np.float64:
        return np.asarray(guesses == secrets)
    allowed = TOLERANCE * (np.abs(guesses) if width is None else width)
    return np.asarray((np.abs(guesses - secrets) <= allowed) | (np.isnan(guesses) & np.isnan(secrets)))
