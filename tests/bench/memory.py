"""The memory that a column of many categories takes, in a process of its own.

python -m tests.bench.memory ROWS CATEGORIES    prints the most memory that a fit held, in GiB
"""

import resource
import subprocess
import sys

import numpy as np
import pyarrow as pa

from tests.bench.rows import SEED, Bench, Figure, Row

SECONDS = 60.0  # a step needs no less memory than a thousand


def _peak(bench: Bench) -> Figure:
    rows, categories = bench.rows(300_000), 50 if bench.quick else 5000
    command = [sys.executable, "-m", "tests.bench.memory", str(rows), str(categories)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    one_hot_gib = rows * categories * 8 / 2**30
    return Figure(float(done.stdout), None, "GiB", f"the peer's one-hot matrix: {one_hot_gib:.1f} GiB, several times")


def main(rows: int, categories: int) -> None:
    from synthgen_ray.synthesizers import CTGAN

    chance = np.random.default_rng(0)
    names = pa.array([f"shop {place}" for place in range(categories)])
    table = pa.table(
        {
            "shop": names.take(pa.array(chance.integers(categories, size=rows))),
            "paid": chance.lognormal(3, 1, rows).round(2),
        }
    )
    CTGAN(epochs=1, seed=SEED, holdout_fraction=0.0, max_categories=categories, max_training_seconds=SECONDS).fit(table)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


ROWS = (Row("peak memory, 300,000 rows x 5,000 categories", _peak, "4 GiB", "2 GiB"),)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
