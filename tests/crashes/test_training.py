"""Trainings: in a process of their own, or by Ray Train on many workers."""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from synthgen_ray.client import ApiError
from synthgen_ray.runtime.data_dir import DataDir
from tests.api.conftest import a_table
from tests.cluster.conftest import LONG, QUICK
from tests.crashes.by_hand import ROWS, SEED
from tests.servers import UpServer, standing_still, wait_until

TWO = {"num_workers": 2}
SHARED = {**QUICK, "epochs": 15, "seed": 5}


def test_a_model_trains_on_a_worker_and_its_job_has_its_losses(client, given_training):
    # One type: the demo's test trains all of them.
    model = given_training("tvae", {**QUICK, "epochs": 40})

    job = client.wait_for_job(model["job_id"], timeout_s=120)

    assert client.get_model(model["id"])["model"]["status"] == "ready"
    assert job["progress"] == 1
    assert job["losses"]


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory) -> str:
    """The hash of the rows of a model that two processes share without Ray, undisturbed."""
    folder = tmp_path_factory.mktemp("by hand")
    (folder / "accounts.csv").write_bytes(a_table(500))
    command = [sys.executable, "-m", "tests.crashes.by_hand", str(folder / "accounts.csv"), str(folder)]
    done = subprocess.run([*command, json.dumps(SHARED)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sha256_of_rows(client, model_id: str) -> str:
    job = client.generate(model_id, ROWS, seed=SEED)
    return client.wait_for_job(job["job_id"], timeout_s=60)["result"]["sha256"]


def runs_of_ray_train(server: UpServer) -> dict[str, Any]:
    """By name, what the dashboard's Train tab shows; none before its first run is known there."""
    info = DataDir(server.data_dir).find_info()
    assert info is not None
    token = DataDir(server.data_dir).ray_token_file().read_text()
    url, headers = f"{info.dashboard}/api/train/v2/runs/v1", {"Authorization": f"Bearer {token}"}
    answer = httpx.get(url, headers=headers, timeout=60)
    return {run["name"]: run for run in answer.json()["train_runs"]} if answer.is_success else {}


def progress_of(client, job_id: str) -> float:
    return client.get_job(job_id)["progress"]


@pytest.mark.nightly
def test_two_workers_whose_controller_is_killed_train_again_and_leave_their_cpus_to_others_when_they_are_cancelled(
    client, server, dataset, given_training, ready_model
):
    model = given_training("tvae", LONG, resources=TWO)
    server.kill("ray::lead ")  # as soon as it is there: before its workers are, it leaves their room behind

    wait_until(lambda: progress_of(client, model["job_id"]) > 0, "the training runs")
    assert len(server.processes("RayTrainWorker")) == 2  # and there is no room for two more
    report = client.create_report(dataset["project_id"], ready_model)["id"]  # wants a CPU, and half of one is free
    run = f"m-{model['id']}-2"
    with standing_still(server.processes("RayTrainWorker")):  # who looks has their CPUs
        wait_until(lambda: run in runs_of_ray_train(server), "the dashboard shows the run", 60)
        assert "income" not in json.dumps(runs_of_ray_train(server)[run])  # a column's name
    assert client.get_job(report)["status"] == "pending"
    client.cancel_job(model["job_id"])

    server.wait_for_end_of("RayTrainWorker")
    server.wait_for_end_of("ray::lead ")
    client.wait_for_job(report, timeout_s=60)


def test_two_workers_one_of_whom_is_killed_go_on_to_the_model_of_two_who_were_not(
    client, server, given_training, by_hand
):
    model = given_training("ctgan", SHARED, resources=TWO)
    seen: list[float] = []

    def is_past(fraction: float) -> bool:
        seen.append(progress_of(client, model["job_id"]))
        return seen[-1] > fraction

    wait_until(lambda: is_past(0.3), "a third is trained")
    leader, again = server.processes("ray::lead "), f"ray::lead m-{model['synthgen_job_id'][:8]}-2"
    server.kill("RayTrainWorker")
    first_loss = len(seen)
    wait_until(lambda: server.processes(again) == leader, "who led it, and has imported all, leads it again")
    wait_until(lambda: is_past(0.99), "it goes on")
    done = client.wait_for_job(model["job_id"], timeout_s=120)

    assert done["status"] == "completed"
    assert min(seen[first_loss:]) > 0.1
    assert sha256_of_rows(client, model["id"]) == by_hand


@pytest.mark.parametrize(
    ("resources", "named"),
    [
        ({"num_workers": 50}, "50 CPUs and the cluster has 2.5 for it"),
        ({"use_gpu": True}, "1 GPUs and the cluster has 0"),
    ],
)
def test_more_than_the_cluster_has_is_refused_at_once(client, given_training, resources, named):
    with pytest.raises(ApiError) as refused:
        given_training("ctgan", {**QUICK, "batch_size": 1000}, resources=resources)

    assert (refused.value.status, refused.value.code) == (422, "resources_unavailable")
    assert named in refused.value.detail


def test_of_a_deleted_model_the_training_ends(client, server, given_training):
    model = given_training("tvae", LONG)
    wait_until(lambda: 0 < progress_of(client, model["job_id"]) < 1, "it shows its progress")
    assert client.get_job(model["job_id"])["losses"]

    client.delete_model(model["id"])

    server.wait_for_end_of("ray::train ")
