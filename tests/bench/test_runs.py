"""`make bench` runs; how fast anything is, is not a test's business. Its rows of a server are in `tests/cluster`."""

import subprocess
from pathlib import Path

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
    "quality",
)


def bench(options: str) -> str:
    command = ["make", "bench", f"BENCH={options}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_benchmarks_measure_every_row():
    chosen = "--data nowhere --only " + " ".join(f"'{group}'" for group in GROUPS)
    named = bench("--data nowhere --list").splitlines()
    listed = [name for name in named if "served" not in name and not name.startswith(("make", ".venv"))]

    shown = bench(f"{chosen} --quick --times 1 --markdown")

    assert [name for name in listed if f"| {name} |" in shown] == listed
    assert all(any(group in name for name in listed) for group in GROUPS)
    assert "no folder of real tables" in shown


def test_single_rows_can_be_chosen():
    chosen = [
        line for line in bench("--data nowhere --list --only 'gaussian copula fit'").splitlines() if "fit" in line
    ]

    assert {"Gaussian copula fit", "Gaussian copula fit, refined"} <= set(chosen)
    assert not [line for line in chosen if "CTGAN" in line]
