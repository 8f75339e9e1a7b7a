"""What an operator sees in Ray: names that a person knows, and lines of logs that say what they are about."""

import json
from typing import Any

import httpx
import pytest

from synthgen_ray.runtime.data_dir import DataDir
from tests.cluster.conftest import QUICK
from tests.log_lines import is_right, ours
from tests.servers import UpServer, wait_until


def state(server: UpServer, what: str, **filters: str) -> list[dict[str, Any]]:
    """As the dashboard's pages ask for it."""
    info = DataDir(server.data_dir).find_info()
    assert info is not None
    token = DataDir(server.data_dir).ray_token_file().read_text()
    params: list[tuple[str, str | int]] = [("detail", 1), ("limit", 1000)]
    for name, value in filters.items():
        params += [("filter_keys", name), ("filter_predicates", "="), ("filter_values", value)]
    url, headers = f"{info.dashboard}/api/v0/{what}", {"Authorization": f"Bearer {token}"}
    answer = httpx.get(url, params=params, headers=headers, timeout=60).raise_for_status()
    return answer.json()["data"]["result"]["result"]


def lines_of_ours(server: UpServer, *files: str) -> list[str]:
    """In the logs of the server's own process and of all that Ray runs for it, or in these files of Ray's."""
    of_ray = server.data_dir / "ray" / "session_latest" / "logs"
    logs = [log for name in files or ("worker-*.err", "worker-*.out", "job-driver-*.log") for log in of_ray.glob(name)]
    if not files:
        logs.append(server.data_dir / "server.log")
    return ours(line for log in logs for line in log.read_text().splitlines())


def told(server: UpServer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of_ours(server) if is_right(line)]


def test_each_line_of_ours_is_json_and_carries_the_job_and_the_model_that_it_speaks_of(server, client, given_training):
    client.wait_for_job(given_training("tvae", QUICK)["synthgen_job_id"], timeout_s=120)
    lines = lines_of_ours(server)

    assert any(" completed" in line for line in lines)
    assert [line for line in lines if not is_right(line)] == []


def test_actors_carry_names_that_a_person_knows(server, client):
    named = {actor["name"] for actor in state(server, "actors", state="ALIVE")}

    assert {"metadata", "dispatcher"} <= named
    assert any(name.startswith("SERVE_REPLICA::synthgen#Api#") for name in named)


def test_a_training_is_called_by_its_model_and_the_start_of_its_id(server, client, given_training):
    job_id = given_training("tvae", QUICK)["synthgen_job_id"]
    client.wait_for_job(job_id, timeout_s=120)
    name = f"train m-{job_id[:8]}-1"

    wait_until(lambda: state(server, "tasks", name=name), "the task is shown", 60)


@pytest.mark.nightly
def test_who_leads_others_has_a_name_and_what_it_does_that_of_the_model(server, client, given_training):
    job_id = given_training("tvae", QUICK, resources={"num_workers": 2})["synthgen_job_id"]
    client.wait_for_job(job_id, timeout_s=120)

    assert leader_of(server, f"lead m-{job_id[:8]}-1").startswith("leader-")
    assert "RayTrainWorker" in {actor["class_name"] for actor in state(server, "actors")}


def leader_of(server: UpServer, name: str) -> str:
    """The name of the actor of a task of this name."""
    wait_until(lambda: state(server, "tasks", name=name), "the task is shown", 60)
    (task,) = state(server, "tasks", name=name)
    (leader,) = state(server, "actors", actor_id=task["actor_id"])
    return leader["name"]


def test_lines_about_a_job_carry_it_and_its_model(server, client, given_training):
    model = given_training("tvae", QUICK)
    client.wait_for_job(model["synthgen_job_id"], timeout_s=120)
    about_it = [line for line in told(server) if line["job_id"] == model["synthgen_job_id"]]

    assert {line["message"].split(" ")[-1] for line in about_it} == {"for", "1", "completed"}
    assert {line["model_id"] for line in about_it} == {model["id"]}


def test_a_job_is_found_by_the_request_that_asked_for_it(server, ready_model):
    order = {"json": {"num_rows": 5}, "headers": {"Authorization": f"Bearer {server.key}", "X-Request-ID": "find-me"}}
    answer = httpx.post(f"{server.url}/api/synthgen/models/{ready_model}/generate", **order)

    (line,) = [line for line in told(server) if line["request_id"] == "find-me"]

    assert (line["job_id"], line["model_id"]) == (answer.json()["synthgen_job_id"], ready_model)


def test_replicas_write_json_and_no_line_for_each_call(server, ready_model, client):
    client.sample(ready_model, num_rows=5)

    logs = list((server.data_dir / "ray" / "session_latest" / "logs" / "serve").glob("replica_*.log"))
    messages = [json.loads(line)["message"] for log in logs for line in log.read_text().splitlines()]

    assert any("Finished initializing replica" in message for message in messages)
    assert not [message for message in messages if message.startswith(("CALL", "GET", "POST"))]
