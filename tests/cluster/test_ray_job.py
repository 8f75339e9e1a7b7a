"""`ray job submit -- python -m synthgen_ray.batch`: a Ray job on the server's own cluster."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from synthgen_ray.client import ApiError
from synthgen_ray.runtime.data_dir import DataDir
from tests.cluster.test_dashboard import lines_of_ours
from tests.log_lines import is_right
from tests.ray_nodes import RAY
from tests.s3 import CREDENTIALS
from tests.servers import UpServer, wait_until

ROWS = 20_000


def submission(server: UpServer, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a Ray job of these arguments."""
    info = DataDir(server.data_dir).find_info()
    assert info is not None
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(server.data_dir / "ray_token")}
    command = [RAY, "job", "submit", "--address", info.dashboard, "--", sys.executable, "-m", "synthgen_ray.batch"]
    return [*command, "--data-dir", str(server.data_dir), *arguments], {**server.environment, **token}


@pytest.fixture
def _other_rays() -> Iterator[None]:
    """What Ray finds of other Rays on this machine: the command line of a raylet, with the addresses of theirs."""
    addresses = [f"--gcs-address=127.0.0.1:{port}" for port in range(1, 6)]
    stands_still = ["raylet", "-c", "import time; time.sleep(600)", *addresses]
    with subprocess.Popen(stands_still, executable=sys.executable) as raylet:
        yield
        raylet.kill()


@pytest.mark.usefixtures("_other_rays")
def test_it_makes_the_rows_of_a_generation_and_is_a_job_of_the_server(client, server, ready_model, tmp_path):
    job = client.generate(ready_model, ROWS, seed=4, format="parquet")
    client.wait_for_job(job["job_id"], timeout_s=120)
    generated = pq.read_table(client.download(job["job_id"], tmp_path / "rows.parquet"))
    folder = tmp_path / "rows"

    order = ["--model-id", ready_model, "--num-rows", str(ROWS), "--seed", "4", "--rows-per-file", "10000"]
    command, environment = submission(server, *order, "--output", str(folder))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)

    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(Path(folder).glob("rows-*"))
    assert len(files) == 2
    assert (folder / "_SUCCESS").exists()
    made = [file["name"] for file in json.loads((folder / "_manifest.json").read_text())["files"]]
    assert pq.read_table([folder / name for name in made]) == generated

    (batch,) = [job for job in client.list_jobs(model_id=ready_model)["items"] if job["job_type"] == "batch"]
    assert (batch["status"], batch["config"]["num_rows"], batch["config"]["output"]) == ("completed", ROWS, str(folder))
    with pytest.raises(ApiError, match="elsewhere"):
        client.download(batch["id"], tmp_path / "none")


def test_what_goes_wrong_in_its_own_process_is_a_line_of_ours_about_the_model(server, ready_model, s3):
    order = ["--model-id", ready_model, "--num-rows", "10", "--output", s3.url(f"bucket-{uuid4()}/rows")]
    command, environment = submission(server, *order)
    command[3:3] = ["--runtime-env-json", json.dumps({"env_vars": CREDENTIALS})]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)

    assert done.returncode == 1, done.stdout + done.stderr
    lines = lines_of_ours(server, "job-driver-*.log")
    assert any("refused a request" in line and ready_model in line for line in lines), done.stdout + done.stderr
    assert [line for line in lines if not is_right(line)] == []


@pytest.mark.nightly
def test_one_that_is_cancelled_ends_and_what_it_writes_then_is_refused(client, server, ready_model, tmp_path, grows):
    order = ["--model-id", ready_model, "--num-rows", str(10**8), "--rows-per-file", "50000", "--workers", "1"]
    command, environment = submission(server, *order, "--output", str(tmp_path / "rows"))

    def running() -> list[str]:
        jobs = client.list_jobs(model_id=ready_model, status="running")["items"]
        return [job["id"] for job in jobs if job["job_type"] == "batch"]

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as batch:
        wait_until(lambda: list(tmp_path.glob("rows/rows-*")), "there are rows")
        (job_id,) = running()
        wait_until(lambda: client.get_job(job_id)["progress"] > 0, "it shows how far it is")
        client.cancel_job(job_id)
        said = batch.communicate(timeout=120)[0]

    assert batch.returncode == 1
    assert "The batch was cancelled" in said
    assert not (tmp_path / "rows/_SUCCESS").exists()
    assert client.get_job(job_id)["cancelled"]
    grows(1, "ray_synthgen_fenced_writes_total")
