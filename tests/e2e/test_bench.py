"""`make bench` runs; how fast anything is, is not a test's business."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmarks_compare_every_pair():
    command = ["make", "bench", "BENCH=--rows 500 --times 1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)

    assert done.returncode == 0, done.stdout + done.stderr
    for what in ("CTGAN fit", "CTGAN sample", "TVAE fit", "TVAE sample", "copula fit", "copula sample"):
        assert what in done.stdout
