"""Trainings on Ray Train."""

import pytest

from synthgen_ray.client import ApiError
from tests.cluster.conftest import LONG, QUICK
from tests.servers import wait_until


def test_a_model_trains_on_a_worker_and_its_job_shows_progress_and_losses(client, given_training):
    # One type: the demo's test trains all of them.
    model = given_training("tvae", {**QUICK, "epochs": 60})
    seen = []

    client.wait_for_job(model["job_id"], on_progress=seen.append, poll_s=0.1, timeout_s=120)

    assert client.get_model(model["id"])["model"]["status"] == "ready"
    assert any(0 < job["progress"] < 1 for job in seen)
    assert any(job["losses"] for job in seen)


def test_two_workers_make_one_model(client, given_training, tmp_path):
    model = given_training("ctgan", QUICK, resources={"num_workers": 2})

    client.wait_for_model(model["id"], timeout_s=120)

    job = client.generate(model["id"], 100, conditions={"income": ">50K"})
    client.wait_for_job(job["job_id"], timeout_s=60)
    rows = client.download(job["job_id"], tmp_path / "rows.csv").read_text().splitlines()
    assert len(rows) == 101
    assert all(",>50K," in row for row in rows[1:])


@pytest.mark.parametrize(
    ("resources", "named"),
    [
        ({"num_workers": 50}, "50 CPUs and the cluster has 3.5 for it"),
        ({"use_gpu": True}, "1 GPUs and the cluster has 0"),
    ],
)
def test_more_than_the_cluster_has_is_refused_at_once(client, given_training, resources, named):
    with pytest.raises(ApiError) as refused:
        given_training("ctgan", QUICK, resources=resources)

    assert (refused.value.status, refused.value.code) == (422, "resources_unavailable")
    assert named in refused.value.detail


def test_a_table_with_nothing_to_learn_is_refused_before_it_trains(client, dataset, tmp_path):
    file = tmp_path / "ids.csv"
    file.write_text("id,empty\n" + "".join(f"K-{i:05},\n" for i in range(100)))
    ids = client.upload_dataset(dataset["project_id"], "ids", file)

    with pytest.raises(ApiError) as refused:
        client.create_model(dataset["project_id"], ids["dataset_version_id"], "m", "tvae", QUICK)

    assert (refused.value.status, refused.value.code) == (422, "no_usable_columns")


def test_a_deleted_model_frees_its_workers(client, server, given_training):
    model = given_training("tvae", LONG)
    wait_until(lambda: client.get_job(model["job_id"])["progress"] > 0, "the training runs")
    assert server.processes("RayTrainWorker")

    client.delete_model(model["id"])

    wait_until(lambda: not server.processes("RayTrainWorker"), "the workers are gone", 60)


def test_a_killed_worker_costs_an_attempt_and_not_the_model(client, server, given_training):
    model = given_training("tvae", {**QUICK, "epochs": 150})
    wait_until(lambda: client.get_job(model["job_id"])["progress"] > 0, "the training runs")

    server.kill("RayTrainWorker")

    client.wait_for_model(model["id"], timeout_s=120)
    assert len(client.get_model(model["id"])["jobs"]) == 1
