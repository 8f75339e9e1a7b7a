"""`make demo`, the first thing that a newcomer runs; here with fewer flights and epochs."""

import subprocess
from pathlib import Path

from synthgen_ray.domain.params import ModelType
from tests.servers import clean_environment

ROOT = Path(__file__).parents[2]


def test_the_demo_trains_generates_and_compares_all_types(tmp_path):
    command = ["make", "demo", f"DEMO=--rows 1000 --epochs 1 --to {tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=290)

    assert done.returncode == 0, done.stdout + done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("│")]
    for model_type in ModelType:
        (line,) = [line for line in table if f" {model_type} " in line]
        shapes, trends = (float(cell) for cell in line.strip("│").split("│")[-2:])
        assert 0.8 < shapes <= 1
        assert 0.4 < trends <= 1
        rows = (tmp_path / f"{model_type}.csv").read_text().splitlines()
        assert len(rows) == 1001
        assert (tmp_path / f"{model_type}.html").read_text().startswith("<!doctype html>")
    assert "all of them have it" in done.stdout
