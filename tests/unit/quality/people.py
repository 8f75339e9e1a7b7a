"""Three tables of people for attacks: whom training saw, whom it did not, and rows that remember half of the former.

numpy alone, so that the figures of `anonymeter` can be made where that package runs.
"""

import numpy as np

ROWS = 300
NUMBERS = ("age", "income", "height")
Columns = dict[str, np.ndarray]


def people() -> tuple[Columns, Columns, Columns]:
    """Real, synthetic, hold-out."""
    real, holdout, others = (_drawn(seed) for seed in range(3))
    remembered = np.random.default_rng(3).random(ROWS) < 0.5
    synthetic = {name: np.where(remembered, real[name], others[name]) for name in real}
    return real, synthetic, holdout


def _drawn(seed: int) -> Columns:
    chance = np.random.default_rng(seed)
    age = chance.integers(18, 90, ROWS)
    job = chance.integers(0, 4, ROWS) + age // 40
    return {
        "age": age.astype(float),
        "income": (1000.0 * (1 + job) * chance.lognormal(0, 0.5, ROWS)).round(2),
        "height": chance.normal(170, 10, ROWS).round(2),
        "job": np.array(list("abcdefgh"))[job],
        "city": np.array(list("vwxyz"))[chance.integers(0, 5, ROWS)],
    }
