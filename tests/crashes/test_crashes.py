"""Processes are killed in the middle of a job: it ends as it would have. What clients see of kills: `test_kills`."""

import subprocess
import sys
import threading

import httpx
import pytest

from tests.cluster.conftest import QUICK
from tests.servers import SAMPLER, clean_environment, wait_until

ROWS = 200_000


def generated(client, model_id: str, **params) -> str:
    """The hash of a generation's output."""
    job = client.generate(model_id, seed=9, **params)
    return client.wait_for_job(job["job_id"], timeout_s=120)["result"]["sha256"]


def test_a_killed_sampler_changes_no_byte(client, server, ready_model):
    undisturbed = generated(client, ready_model, num_rows=ROWS)

    job = client.generate(ready_model, ROWS, seed=9)
    wait_until(lambda: client.get_job(job["job_id"])["progress"] > 0, "the generation runs")
    server.kill(SAMPLER)

    done = client.wait_for_job(job["job_id"], timeout_s=120)
    assert done["result"]["sha256"] == undisturbed


def test_what_runs_beside_a_generation_changes_no_byte(client, ready_model):
    alone = generated(client, ready_model, num_rows=60_000)
    shas: list[str] = []

    threads = [
        threading.Thread(target=lambda: shas.append(generated(client, ready_model, num_rows=60_000))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shas == [alone] * 4


def test_a_killed_dispatcher_runs_again_what_it_had_running(client, server, given_training):
    model = given_training("tvae", {**QUICK, "epochs": 100})
    wait_until(lambda: client.get_job(model["job_id"])["progress"] > 0, "the training runs")

    server.kill("ray::DispatcherActor")

    client.wait_for_model(model["id"], timeout_s=120)


@pytest.mark.nightly
def test_the_end_of_many_tasks_ends_nobody_who_waits_for_them_and_who_leads_others_stays():
    command = [sys.executable, "-m", "tests.crashes.processes", "400"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=200)

    assert done.returncode == 0, done.stderr


def test_a_store_that_is_alive_and_silent_is_told_of_and_found_again(server):
    def look() -> tuple[int, str]:
        key = {"Authorization": "Bearer a-key-that-nobody-remembers"}
        answer = httpx.get(f"{server.url}/api/limits", headers=key, timeout=100)
        return answer.status_code, answer.json()["code"]

    (metadata,) = server.processes("ray::Metadata")
    metadata.suspend()
    try:
        silent = look()
    finally:
        metadata.resume()

    assert silent == (503, "store_unavailable")
    wait_until(lambda: look() == (401, "invalid_key"), "it answers again")
