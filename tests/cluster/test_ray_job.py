"""`ray job submit -- python -m synthgen_ray.batch`: a Ray job on the server's own cluster."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synthgen_ray.runtime.data_dir import DataDir
from tests.ray_nodes import RAY
from tests.servers import UpServer

ROWS = 30_000


def submitted(server: UpServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    info = DataDir(server.data_dir).find_info()
    assert info is not None
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(server.data_dir / "ray_token")}
    command = [RAY, "job", "submit", "--address", info.dashboard, "--", sys.executable, "-m", "synthgen_ray.batch"]
    environment = {**server.environment, **token}
    return subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=250)


@pytest.fixture
def _other_rays() -> Iterator[None]:
    """What Ray finds of other Rays on this machine: the command line of a raylet, with the addresses of theirs."""
    addresses = [f"--gcs-address=127.0.0.1:{port}" for port in range(1, 6)]
    stands_still = ["raylet", "-c", "import time; time.sleep(600)", *addresses]
    with subprocess.Popen(stands_still, executable=sys.executable) as raylet:
        yield
        raylet.kill()


@pytest.mark.usefixtures("_other_rays")
def test_it_makes_the_rows_of_a_generation(client, server, ready_model, tmp_path):
    model = client.export_model(ready_model, tmp_path / "model.synthgen")
    job = client.generate(ready_model, ROWS, seed=4, format="parquet")
    client.wait_for_job(job["job_id"], timeout_s=120)
    generated = pq.read_table(client.download(job["job_id"], tmp_path / "rows.parquet"))
    folder = tmp_path / "rows"

    order = ["--model", str(model), "--num-rows", str(ROWS), "--seed", "4", "--rows-per-file", "10000"]
    done = submitted(server, *order, "--output", str(folder))

    assert done.returncode == 0, done.stdout + done.stderr
    files = sorted(Path(folder).glob("rows-*"))
    assert len(files) == 3
    assert (folder / "_SUCCESS").exists()
    made = [file["name"] for file in json.loads((folder / "_manifest.json").read_text())["files"]]
    assert pq.read_table([folder / name for name in made]) == generated
