"""Stop and start: what was acknowledged is there, and models generate as before."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.runtime.listening import free_port
from tests.servers import SAMPLER, START_S, UpServer, is_alive, standing_still, wait_until

MIB = 1 << 20
MANY = 250_000


@pytest.fixture(scope="module")
def project(dataset, ready_model) -> dict[str, str]:
    return {"id": dataset["project_id"], "version": dataset["dataset_version_id"], "model": ready_model}


def sha256_of_rows(server: UpServer, model_id: str) -> str:
    with server.client() as client:
        job = client.generate(model_id, 1000, seed=3)
        return client.wait_for_job(job["job_id"], timeout_s=120)["result"]["sha256"]


@pytest.fixture(scope="module")
def before(server, project) -> str:
    """The hash of what the model generates, for as long as nothing has happened."""
    return sha256_of_rows(server, project["model"])


def given_running_training(server: UpServer, project: dict) -> dict:
    with server.client() as client:
        model = client.create_model(
            project["id"], project["version"], "vae", "tvae", {"epochs": 200, "batch_size": 50, "embedding_dim": 8}
        )
        wait_until(lambda: client.get_job(model["job_id"])["progress"] > 0, "the training runs")
    return model


@pytest.mark.nightly
def test_a_restart_in_the_middle_of_a_training_and_an_upload_loses_the_upload_alone(server, project, before):
    key = server.key
    training = given_running_training(server, project)
    scratch = server.data_dir / "artifacts" / "scratch"
    with server.client() as client, half_an_upload(server, project) as upload:
        datasets = client.list_datasets()["total"]
        wait_until(lambda: any(file.stat().st_size for file in scratch.rglob("upload")), "half of it has arrived")

        server.down()
        answer = answer_of(upload)
    server.up()

    assert server.key == key
    assert answer == b"" or answer.startswith(b"HTTP/1.1 503"), answer
    assert [path for path in scratch.rglob("*") if path.is_file()] == []
    assert sha256_of_rows(server, project["model"]) == before
    with server.client() as client:
        assert client.list_datasets()["total"] == datasets
        client.wait_for_model(training["id"], timeout_s=120)


@contextlib.contextmanager
def half_an_upload(server: UpServer, project: dict) -> Iterator[socket.socket]:
    form = b'--b\r\nContent-Disposition: form-data; name="project_id"\r\n\r\n' + project["id"].encode()
    form += b'\r\n--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nhalf'
    form += b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + b"a\n" + b"1\n" * MIB
    head = f"POST /api/datasets/upload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
    head += f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {2 * len(form)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as upload:
        upload.sendall(head.encode() + form)
        yield upload


def test_a_server_that_was_killed_loses_nothing_either(server, project, before):
    training = given_running_training(server, project)
    with server.client() as client:
        generation = client.generate(project["model"], MANY, seed=3)["job_id"]
        wait_until(lambda: client.get_job(generation)["status"] != "pending", "the generation runs")
    place = DataDir(server.data_dir)
    family = [psutil.Process(place.find_info().pid)]
    family += family[0].children(recursive=True)

    os.kill(family[0].pid, signal.SIGKILL)
    server.up()  # at once and on the same ports: on that of the metrics a dead Ray's agent sits for a minute

    wait_until(lambda: not any(map(is_alive, family)), "what the dead server had started is gone", 60)
    assert sha256_of_rows(server, project["model"]) == before
    with server.client() as client:
        assert client.wait_for_job(generation, timeout_s=120)["result"]["num_rows"] == MANY
        client.wait_for_model(training["id"], timeout_s=120)


@pytest.mark.nightly
def test_a_training_wakes_a_sampler_before_rows_are_asked_for(server, project):
    server.down()
    server.up()
    assert not server.processes(SAMPLER)  # a server at rest does without

    with server.client() as client:
        client.create_model(project["id"], project["version"], "copula", "gaussian_copula")

    wait_until(lambda: server.processes(SAMPLER), "a sampler is up")


@pytest.mark.nightly
def test_a_server_is_found_until_it_has_stopped(server):
    place = DataDir(server.data_dir)
    info = place.find_info()

    with standing_still(server.processes("ray::DispatcherActor")):  # which it waits for
        os.kill(info.pid, signal.SIGTERM)
        time.sleep(5)

        assert place.find_info() == info
    wait_until(lambda: not place.is_locked(), "it has stopped")
    assert place.find_info() is None
    server.up()


@pytest.mark.nightly
def test_a_start_in_the_background_that_is_told_to_stop_leaves_no_server(server, tmp_path_factory):
    place = DataDir(tmp_path_factory.mktemp("s"))
    ports = ["--port", str(free_port()), "--dashboard-port", str(free_port())]
    environment = {**server.environment, "SYNTHGEN_DATA_DIR": str(place.path)}
    environment["SYNTHGEN_METRICS_PORT"] = str(free_port())  # the other one sits on its own
    command = [sys.executable, "-m", "synthgen_ray.cli", "up", "--detach", *ports]
    with subprocess.Popen(command, env=environment, start_new_session=True) as starting:
        wait_until(lambda: (place.path / "server.log").exists() and place.is_locked(), "the server starts")
        starting.terminate()

    assert starting.returncode == 128 + signal.SIGTERM
    wait_until(lambda: not place.is_locked(), "it has stopped", START_S)


@pytest.mark.nightly
def test_a_database_of_a_newer_version_is_said_to_be_that_and_nothing_else(server):
    server.down()
    newest = set_revision(server, "9999")

    refused = server.up(check=False)

    assert (refused.returncode, "The database has schema 9999" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr
    set_revision(server, newest)
    server.up()


def set_revision(server: UpServer, revision: str) -> str:
    """That of the schema; answers which it was."""
    with contextlib.closing(sqlite3.connect(server.data_dir / "synthgen.db")) as database, database:
        (before,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = ?", [revision])
    return str(before)


@pytest.mark.nightly
def test_samplers_that_are_lost_while_the_first_of_them_starts_are_followed_by_one_that_draws(server, project, before):
    server.down()
    server.up()
    with server.client() as client:
        job = client.generate(project["model"], 1000, seed=3)["job_id"]
        for _ in range(4):  # after three Serve by itself gives up
            server.kill(SAMPLER)

        assert client.wait_for_job(job, timeout_s=120)["result"]["sha256"] == before


def test_serve_gave_up_no_proxy_that_was_slow_to_start(server):
    logs = [file.read_text() for file in server.data_dir.rglob("logs/serve/controller_*.log")]

    assert any("Starting proxy" in log for log in logs)
    assert [log for log in logs if "reported not ready" in log] == []


def answer_of(connection: socket.socket) -> bytes:
    """All that came, which is nothing where the connection was reset."""
    connection.settimeout(60)
    answer = b""
    with contextlib.suppress(ConnectionError):
        while block := connection.recv(4096):
            answer += block
    return answer


def test_a_second_server_on_the_directory_is_refused_and_the_first_goes_on(server, project):
    second = server.up(check=False)

    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert "is ready" in server.synthgen("status").stdout
    told = json.loads(server.synthgen("status", "--json").stdout)
    assert told["ready"] is True
    assert [check["name"] for check in told["status"]["checks"] if check["ok"]] == ["store", "artifacts", "dispatcher"]


def test_a_taken_port_is_said_to_be_taken(server, tmp_path_factory):
    other = UpServer(tmp_path_factory.mktemp("o"), server.port, dict(server.environment))
    other.environment["SYNTHGEN_DATA_DIR"] = str(other.data_dir)

    refused = other.up(check=False)

    assert refused.returncode == 1
    assert f"Port {server.port}" in refused.stderr
