"""`python -m synthgen_ray.batch` on a Ray of several nodes, of which one is killed half way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthgen_ray.batch import _order, _place
from synthgen_ray.domain.params import OutputFormat
from synthgen_ray.jobs.batch import begin, model_in
from synthgen_ray.synthesizers import GaussianCopula
from tests.ray_nodes import ray_nodes
from tests.servers import processes_below, wait_until
from tests.unit.jobs.test_batch import made
from tests.unit.synthesizers.conftest import given_table

ROWS, ROWS_PER_FILE, SEED = 1_500_000, 10_000, 5
WORKER = "FileMaker"


@pytest.mark.nightly
def test_all_nodes_make_files_and_the_loss_of_one_changes_no_byte(tmp_path):
    model_file = tmp_path / "model.synthgen"
    table, columns = given_table()
    GaussianCopula(seed=1).fit(table, columns).save(model_file)
    folder = tmp_path / "rows"
    order = ["--num-rows", str(ROWS), "--rows-per-file", str(ROWS_PER_FILE), "--seed", str(SEED)]
    command = [sys.executable, "-m", "synthgen_ray.batch", "--model", str(model_file), *order, "--output", str(folder)]

    with ray_nodes(head_cpus=0) as nodes:
        workers = [nodes.join(num_cpus=1), nodes.join(num_cpus=1)]
        environment = {**nodes.environment, "RAY_ADDRESS": nodes.address}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as batch:
            wait_until(lambda: all(processes_below(node.pid, WORKER) for node in workers), "both nodes have a worker")
            wait_until(lambda: len(list(folder.glob("rows-*"))) > 10, "some files are there")
            nodes.kill(workers[0])
            out, err = batch.communicate(timeout=240)

    assert batch.returncode == 0, err
    assert json.loads(out)["num_rows"] == ROWS
    assert _bytes_of(folder) == _bytes_of(_made_here(model_file, tmp_path / "here"))


def _made_here(model_file: Path, folder: Path) -> Path:
    """The same order, in this process and without Ray."""
    content = model_file.read_bytes()
    order = _order(content, ROWS, {"seed": SEED}, OutputFormat.PARQUET, ROWS_PER_FILE)
    place = _place(str(folder), folder.parent)
    begin(place, order, resume=False)
    made(model_in(content), order, place)
    return folder


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}
