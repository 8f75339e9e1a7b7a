"""`python -m synthgen_ray.batch` on a Ray of several nodes, of which one is killed half way."""

import json
import subprocess

import pytest

from tests.e2e.test_batch import command, files_of, made_here, rows_there, saved_model
from tests.ray_nodes import ray_nodes
from tests.servers import processes_below, wait_until

ROWS = 1_500_000
WORKER = "FileMaker"


@pytest.mark.nightly
def test_all_nodes_make_files_and_the_loss_of_one_changes_no_byte(tmp_path):
    model_file, folder, here = saved_model(tmp_path), tmp_path / "rows", tmp_path / "here"

    with ray_nodes(head_cpus=0) as nodes:
        workers = [nodes.join(num_cpus=1), nodes.join(num_cpus=1)]
        environment = {**nodes.environment, "RAY_ADDRESS": nodes.address}
        with subprocess.Popen(
            command(model_file, folder, num_rows=ROWS),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as batch:
            wait_until(lambda: all(processes_below(node.pid, WORKER) for node in workers), "both nodes have a worker")
            wait_until(lambda: len(rows_there(folder)) > 10, "some files are there")
            nodes.kill(workers[0])
            out, err = batch.communicate(timeout=240)

    assert batch.returncode == 0, err
    assert json.loads(out)["num_rows"] == ROWS
    made_here(model_file, here, ROWS)
    assert files_of(folder) == files_of(here)
