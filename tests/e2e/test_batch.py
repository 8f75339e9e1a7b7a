"""`python -m synthgen_ray.batch`: a process of its own, killed half way, and gone on with."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from typer.testing import CliRunner

from synthgen_ray.batch import _order, _place, app
from synthgen_ray.domain.params import OutputFormat
from synthgen_ray.jobs.batch import Manifest, begin, model_in
from synthgen_ray.synthesizers import GaussianCopula
from tests.servers import clean_environment, is_alive, wait_until
from tests.unit.jobs.test_batch import made
from tests.unit.synthesizers.conftest import given_table

ROWS = 200_000
CLEAN = clean_environment()


@pytest.fixture(scope="module")
def model_file(tmp_path_factory) -> Path:
    return saved_model(tmp_path_factory.mktemp("model"))


def saved_model(folder: Path) -> Path:
    file = folder / "model.synthgen"
    table, columns = given_table()
    GaussianCopula(seed=1).fit(table, columns).save(file)
    return file


def command(model_file: Path, to: Path, *more: str, num_rows: int = ROWS) -> list[str]:
    order = ["--model", str(model_file), "--num-rows", str(num_rows), "--rows-per-file", "10000", "--seed", "5"]
    return [sys.executable, "-m", "synthgen_ray.batch", *order, "--output", str(to), *more]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, env=CLEAN, capture_output=True, text=True, timeout=200)


def run_while_ray_hangs(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The first raylet that it starts stands still."""
    with subprocess.Popen(arguments, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as batch:
        started = psutil.Process(batch.pid)

        def raylets() -> list[psutil.Process]:
            return [child for child in started.children() if child.name() == "raylet"]

        wait_until(raylets, "Ray starts")
        (hung,) = raylets()
        hung.suspend()
        out, err = batch.communicate(timeout=200)
    assert not is_alive(hung)
    return subprocess.CompletedProcess(arguments, batch.returncode, out, err)


def files_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def rows_there(folder: Path) -> list[Path]:
    return list(folder.glob("rows-*"))


def made_here(model_file: Path, folder: Path, num_rows: int = ROWS) -> Manifest:
    """The same order, in this process and without Ray."""
    content, place = model_file.read_bytes(), _place(str(folder), folder.parent)
    order = _order(content, num_rows, {"seed": 5}, OutputFormat.PARQUET, 10_000)
    begin(place, order, resume=False)
    return made(model_in(content), order, place)


@pytest.mark.nightly
def test_a_run_that_was_killed_goes_on_with_the_second_ray_that_starts_and_makes_the_same_bytes(
    model_file, tmp_path, place
):
    whole = made_here(model_file, tmp_path / "whole")
    killed = subprocess.Popen(
        command(model_file, tmp_path / "killed", "--workers", "1"),
        env={**CLEAN, "TMPDIR": str(place)},
        start_new_session=True,
    )
    wait_until(lambda: len(rows_there(tmp_path / "killed")) > 3, "some files are there")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert {folder.stat().st_mode & 0o077 for folder in place.glob("sg-*")} == {0}
    left = files_of(tmp_path / "killed")
    assert "_SUCCESS" not in left

    again = run(*command(model_file, tmp_path / "killed"))
    resumed = run_while_ray_hangs(*command(model_file, tmp_path / "killed", "--resume"))

    assert (again.returncode, "--resume" in again.stderr) == (1, True)
    assert resumed.returncode == 0, resumed.stderr
    assert "attempt 1 of 3" in resumed.stderr
    assert "deprecated" not in resumed.stderr
    assert json.loads(resumed.stdout) == {
        "output": str(tmp_path / "killed"),
        "num_rows": ROWS,
        "seed": 5,
        "files": len(whole.files),
    }
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
    manifest = json.loads((tmp_path / "whole/_manifest.json").read_text())
    assert {file["name"] for file in manifest["files"]} == {path.name for path in rows_there(tmp_path / "whole")}
    assert sum(file["num_rows"] for file in manifest["files"]) == ROWS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--where", "nowhere=1"], "nowhere"),
        (["--model-id", str(UUID(int=1))], "one of --model and --model-id"),
        (["--output", "s3://key:secret@bucket/rows"], "credentials"),
        (["--num-rows", "0"], "--num-rows"),
        (["--csv-safe"], "csv_safe is for format csv"),
    ],
)
def test_what_cannot_be_ordered_is_refused_before_anything_is_made(model_file, tmp_path, options, says):
    refused = CliRunner().invoke(app, command(model_file, tmp_path / "rows", *options)[3:])

    assert refused.exit_code in (1, 2)
    assert says in refused.stderr
    assert not (tmp_path / "rows").exists()
