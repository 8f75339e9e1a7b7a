"""`synthgen up --address` on a Ray cluster that runs already, and that goes on afterwards."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import a_table
from tests.servers import UpServer, free_port, wait_until


@pytest.fixture
def ray_cluster(tmp_path):
    token = tmp_path / "token"
    token.write_text("a" * 64)
    token.chmod(0o600)
    session = Path(tempfile.mkdtemp(prefix="ray-"))
    port, dashboard = free_port(), free_port()
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_USAGE_STATS_ENABLED": "0"}
    environment["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"] = "0"
    command = [str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", f"--port={port}"]
    command += [f"--temp-dir={session}", f"--dashboard-port={dashboard}", "--num-cpus=2"]
    command += [f"--ray-client-server-port={free_port()}", "--object-store-memory=100000000"]

    head = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}", environment, head
    head.terminate()
    head.wait(60)
    shutil.rmtree(session, ignore_errors=True)


def test_a_server_joins_works_and_leaves(ray_cluster, tmp_path):
    address, environment, head = ray_cluster

    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SYNTHGEN_", "RAY_"))}
    server = UpServer(tmp_path / "data", free_port(), {**clean, **environment})
    server.environment |= {"SYNTHGEN_DATA_DIR": str(server.data_dir), "SYNTHGEN_ADDRESS": address}
    wait_until(lambda: server.up(check=False).returncode == 0, "the server joined", 90)
    table = tmp_path / "accounts.csv"
    table.write_bytes(a_table(100))

    with server.client() as client:
        project = client.create_project("Bank")
        dataset = client.upload_dataset(project["id"], "accounts", table)
        model = client.create_model(project["id"], dataset["dataset_version_id"], "m", "gaussian_copula")
        client.wait_for_model(model["id"], timeout_s=90)
        job = client.generate(model["id"], 10)
        assert client.wait_for_job(job["job_id"], timeout_s=90)["result"]["num_rows"] == 10
    # The proxy of that cluster is behind the edge as any other.
    assert httpx.get(f"{server.url}/-/routes").json()["code"] == "not_found"
    server.down()

    assert head.poll() is None
