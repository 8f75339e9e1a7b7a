"""Processes are killed in the middle of a job: it ends as it would have. What clients see of kills: `test_kills`."""

import subprocess
import sys

import httpx
import pytest

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
