"""What a column of many categories takes: memory, of which a fit in a process of its own tells, and time.

python -m tests.bench.memory ROWS CATEGORIES    prints the most memory that a fit held, in GiB
"""

import resource
import subprocess
import sys

import numpy as np
import pyarrow as pa

from synthgen_ray.domain.params import ModelType
from tests.bench.rows import BARE, SEED, Bench, Figure, Row, given_model
from tests.bench.training import BATCH, EpochClock

EPOCHS = 3
SECONDS = 60.0  # a step needs no less memory than a thousand


def _peak(bench: Bench) -> Figure:
    rows, categories = bench.rows(300_000), 50 if bench.quick else 5000
    command = [sys.executable, "-m", "tests.bench.memory", str(rows), str(categories)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    one_hot_gib = rows * categories * 8 / 2**30
    return Figure(float(done.stdout), None, "GiB", f"the peer's one-hot matrix: {one_hot_gib:.1f} GiB, several times")


def _embedded_step(bench: Bench) -> Figure:
    categories = 50 if bench.quick else 5000
    table = _table(bench.rows(15_000), categories)

    def step_ms(embed_above: int | None) -> float:
        clock = EpochClock()
        options = {"max_categories": categories, "min_category_count": 1, "embed_above": embed_above, **BARE}
        given_model(ModelType.CTGAN, EPOCHS, **options).fit(table, on_progress=clock)
        return 1000 * clock.epoch_s(EPOCHS) / (table.num_rows // BATCH)

    return Figure(step_ms(categories // 5), step_ms(None), "ms", "the peer is ours, one by one")


def main(rows: int, categories: int) -> None:
    from synthgen_ray.synthesizers import CTGAN

    options = {"max_categories": categories, "max_training_seconds": SECONDS}
    CTGAN(epochs=1, seed=SEED, holdout_fraction=0.0, **options).fit(_table(rows, categories))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def _table(rows: int, categories: int) -> pa.Table:
    chance = np.random.default_rng(0)
    names = pa.array([f"shop {place}" for place in range(categories)])
    shops = names.take(pa.array(chance.integers(categories, size=rows)))
    return pa.table({"shop": shops, "paid": chance.lognormal(3, 1, rows).round(2)})


ROWS = (
    Row("peak memory, 300,000 rows x 5,000 categories", _peak, "4 GiB", "2 GiB"),
    Row("CTGAN step, a column of 5,000 categories, embed_above 1,000", _embedded_step),
)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
