"""`make bench` runs; how fast anything is, is not a test's business. Its rows of a server are in `tests/cluster`."""

import subprocess
from pathlib import Path

import pytest

from tests.bench.__main__ import main

ROOT = Path(__file__).parents[2]
GROUPS = (
    "preprocessing",
    "step",
    "fit",
    "seconds of",
    "rare values",
    "time to the quality",
    "sample",
    "to CSV",
    "conditional",
    "memory",
    "storage",
    "quality",
)
APART = "batch of"  # starts Ray three times: `tests/e2e/test_batch.py` does what it does


@pytest.fixture
def listed(capsys):
    """The names of the rows that these options choose."""

    def listed(*options: str) -> list[str]:
        main(["--data", "nowhere", "--list", *options])
        return capsys.readouterr().out.splitlines()

    return listed


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_the_benchmarks_measure_every_row(listed):
    rows = [name for name in listed() if not name.startswith(APART) and "served" not in name]
    groups = " ".join(f"'{group}'" for group in GROUPS)
    options = f"--data nowhere --quick --times 1 --markdown --but served --only {groups}"

    done = subprocess.run(["make", "bench", f"BENCH={options}"], cwd=ROOT, capture_output=True, text=True, timeout=580)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [name for name in rows if f"| {name} |" in done.stdout] == rows
    assert all(any(group in name for name in rows) for group in GROUPS)
    assert "no folder of real tables" in done.stdout


def test_single_rows_can_be_chosen(listed):
    chosen = listed("--only", "gaussian copula fit")

    assert {"Gaussian copula fit", "Gaussian copula fit, refined"} <= set(chosen)
    assert not [name for name in chosen if "CTGAN" in name]


def test_rows_can_be_left_out(listed):
    chosen = listed("--only", "copula fit", "sample", "--but", "Refined", "bf16")

    assert {"Gaussian copula fit", "CTGAN sample, 30,000 rows"} <= set(chosen)
    assert not [name for name in chosen if "refined" in name or "bf16" in name]
