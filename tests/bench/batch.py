"""A batch of many rows, killed half way and gone on with, beside one process of the same cores that writes the same."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from synthgen_ray.batch import _order, _place
from synthgen_ray.domain.params import ModelType, OutputFormat
from synthgen_ray.jobs.batch import Place, begin, make_file
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.numerics.blas import spread
from tests.bench.rows import SEED, Bench, Figure, Row, seconds
from tests.servers import clean_environment, processes_below, wait_until

MANY, ROWS_A_FILE = 20_000_000, 500_000
LOOK_S = 0.5
WAIT_S = 1800.0


def _batch(bench: Bench) -> Figure:
    model, rows = bench.model(ModelType.GAUSSIAN_COPULA, 0), bench.rows(MANY)
    with tempfile.TemporaryDirectory(prefix="sg-") as name:
        folder = Path(name)
        model.save(folder / "model.synthgen")
        plain = seconds(lambda: _in_one_process(model, rows, folder))
        started = time.perf_counter()
        run = _watched(_started(folder, rows, "whole"), folder / "whole")
        taken = time.perf_counter() - started
        _killed_and_gone_on_with(folder, rows)
        if not _hashes(folder / "plain") == _hashes(folder / "whole") == _hashes(folder / "broken"):
            raise AssertionError("the files of the three runs differ")
    files_come = f"with the start of Ray; {run.rows_a_second:,.0f} rows/s once files come"
    return Figure(rows / taken, rows / plain, "rows/s", f"{files_come}; the same bytes each time; {run.memory}")


def _in_one_process(model: Synthesizer, rows: int, folder: Path) -> None:
    content = (folder / "model.synthgen").read_bytes()
    order = _order(content, rows, {"seed": SEED}, OutputFormat.PARQUET, ROWS_A_FILE)
    place: Place = _place(str(folder / "plain"), folder)
    begin(place, order, resume=False)
    for _ in spread(lambda file: make_file(model, order, file, place), order.files):
        pass


def _started(folder: Path, rows: int, to: str, *more: str) -> subprocess.Popen[str]:
    order = ["--model", str(folder / "model.synthgen"), "--num-rows", str(rows), "--seed", str(SEED)]
    order += ["--rows-per-file", str(ROWS_A_FILE), "--output", str(folder / to), *more]
    command = [sys.executable, "-m", "synthgen_ray.batch", *order]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command, env=clean_environment(), start_new_session=True, stdout=quiet, stderr=quiet, text=True
    )


class Run(NamedTuple):
    rows_a_second: float  # from the first file to the last: without the start and the end of Ray
    memory: str


def _watched(batch: subprocess.Popen[str], files: Path) -> Run:
    """Waits for its end; the memory is that of its largest worker, half way and at the end."""
    seen: list[int] = []
    came = [(time.perf_counter(), 0)]  # when, and how many files there are since
    while batch.poll() is None:
        with suppress(psutil.NoSuchProcess):
            sizes = [worker.memory_info().rss for worker in processes_below(batch.pid, "FileMaker")]
            seen.append(max(sizes, default=0))
        if (count := len(list(files.glob("rows-*")))) > came[-1][1]:
            came.append((time.perf_counter(), count))
        time.sleep(LOOK_S)
    if batch.returncode:
        raise AssertionError(f"the batch ended with {batch.returncode}")
    half, whole = max(seen[: len(seen) // 2], default=0), max(seen, default=0)
    memory = f"a worker holds {half / 2**20:,.0f} MiB half way, {whole / 2**20:,.0f} at most"
    (first_s, first), (last_s, last) = came[:2][-1], came[-1]
    return Run(ROWS_A_FILE * (last - first) / max(last_s - first_s, LOOK_S), memory)


def _killed_and_gone_on_with(folder: Path, rows: int) -> None:
    files = max(1, rows // ROWS_A_FILE)
    batch = _started(folder, rows, "broken")
    wait_until(lambda: len(list((folder / "broken").glob("rows-*"))) >= files / 2, "half is there", WAIT_S)
    with suppress(ProcessLookupError):
        os.killpg(batch.pid, signal.SIGKILL)
    batch.wait()
    _watched(_started(folder, rows, "broken", "--resume"), folder / "broken")


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("rows-*")}


ROWS = (Row("batch of 20,000,000 rows to Parquet, Gaussian copula", _batch, "0.85x"),)
