"""What an operator sees in Ray: names that a person knows, and lines of logs that say what they are about."""

import json
from typing import Any

import httpx

from synthgen_ray.domain.log_context import FIELDS
from synthgen_ray.runtime.data_dir import DataDir
from tests.cluster.conftest import QUICK
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


def our_lines(server: UpServer) -> list[dict[str, Any]]:
    logs = (server.data_dir / "ray" / "session_latest" / "logs").glob("worker-*.err")
    lines = [line for log in logs for line in log.read_text().splitlines() if '"logger": "synthgen_ray' in line]
    return [json.loads(line) for line in lines]


def test_actors_carry_names_that_a_person_knows(server, client):
    named = {actor["name"] for actor in state(server, "actors", state="ALIVE")}

    assert {"metadata", "dispatcher"} <= named
    assert any(name.startswith("SERVE_REPLICA::synthgen#Api#") for name in named)


def test_a_training_is_called_by_its_model_and_the_start_of_its_id(server, client, given_training):
    job_id = given_training("tvae", QUICK)["synthgen_job_id"]
    client.wait_for_job(job_id, timeout_s=120)
    name = f"train m-{job_id[:8]}-1"

    wait_until(lambda: state(server, "tasks", name=name), "the task is shown", 60)


def test_lines_about_a_job_carry_it_and_its_model(server, client, given_training):
    model = given_training("tvae", QUICK)
    client.wait_for_job(model["synthgen_job_id"], timeout_s=120)
    about_it = [line for line in our_lines(server) if line["job_id"] == model["synthgen_job_id"]]

    assert {line["message"].split(" ")[-1] for line in about_it} == {"for", "1", "completed"}
    assert {line["model_id"] for line in about_it} == {model["id"]}
    assert all(set(FIELDS) <= line.keys() for line in our_lines(server))


def test_a_job_is_found_by_the_request_that_asked_for_it(server, ready_model):
    order = {"json": {"num_rows": 5}, "headers": {"Authorization": f"Bearer {server.key}", "X-Request-ID": "find-me"}}
    answer = httpx.post(f"{server.url}/api/synthgen/models/{ready_model}/generate", **order)

    (line,) = [line for line in our_lines(server) if line["request_id"] == "find-me"]

    assert (line["job_id"], line["model_id"]) == (answer.json()["synthgen_job_id"], ready_model)


def test_replicas_write_json_and_no_line_for_each_call(server, ready_model, client):
    client.sample(ready_model, num_rows=5)

    logs = list((server.data_dir / "ray" / "session_latest" / "logs" / "serve").glob("replica_*.log"))
    messages = [json.loads(line)["message"] for log in logs for line in log.read_text().splitlines()]

    assert any("Finished initializing replica" in message for message in messages)
    assert not [message for message in messages if message.startswith(("CALL", "GET", "POST"))]
