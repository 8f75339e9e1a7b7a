"""A server whose files are in an object store: workers find them there, and of what is deleted nothing is left."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from tests.api.conftest import a_table
from tests.cluster.conftest import QUICK
from tests.s3 import CREDENTIALS, S3Server
from tests.servers import UpServer, an_up_server, wait_until

BUCKET = "synthgen-of-tests"


@pytest.fixture(scope="module")
def remote(s3: S3Server) -> Iterator[UpServer]:
    s3.filesystem.create_dir(BUCKET)
    with an_up_server(SYNTHGEN_ARTIFACTS_URL=s3.url(f"{BUCKET}/place"), **CREDENTIALS) as server:
        yield server


def files_of(server: UpServer) -> set[Path]:
    """What is on this machine beside the metadata, the server's own files and copies that it may need again."""
    places = (server.data_dir / name for name in ("artifacts", "scratch", "train"))
    return {path for place in places for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("model_type", ["gaussian_copula", "tvae"])  # the second one by Ray Train
def test_a_model_is_trained_sampled_in_each_format_and_deleted_without_a_trace(remote, s3, tmp_path, model_type):
    (tmp_path / "accounts.csv").write_bytes(a_table(300))
    config = {} if model_type == "gaussian_copula" else QUICK
    with remote.client() as client:
        project = client.create_project("Bank")
        dataset = client.upload_dataset(project["id"], "accounts", tmp_path / "accounts.csv")
        model = client.create_model(project["id"], dataset["dataset_version_id"], "m", model_type, config)
        client.wait_for_model(model["id"], timeout_s=240)

        lines = {}
        for form in ("csv", "jsonl", "parquet"):
            job = client.generate(model["id"], 500, seed=1, format=form)
            client.wait_for_job(job["job_id"], timeout_s=240)
            client.download(job["job_id"], tmp_path / form)
            lines[form] = (tmp_path / form).read_bytes()
        kept = s3.files(BUCKET)
        client.delete_project(project["id"], force=True)

    assert (lines["csv"].count(b"\n"), lines["jsonl"].count(b"\n")) == (501, 500)
    assert pq.read_table(io.BytesIO(lines["parquet"])).num_rows == 500
    assert {path.split("/")[1] for path in kept} == {"datasets", "jobs", "server"}
    assert not [path for path in kept if "snapshot" in path or "marker" in path]  # Ray Train's own go with the run
    wait_until(lambda: s3.files(BUCKET) == {"place/server/owner"}, "the bucket is empty", 60)
    assert files_of(remote) == set()


def test_it_is_ready_only_while_the_object_store_answers(remote, s3):
    def ready() -> tuple[int, str]:
        answer = httpx.get(f"{remote.url}/readyz", timeout=60)
        return answer.status_code, answer.json().get("code", "")

    before = ready()
    s3.gate.shut()
    try:
        wait_until(lambda: ready() == (503, "artifacts_unavailable"), "readyz says that the object store is away", 60)
    finally:
        s3.gate.open()

    assert before == (200, "")
    wait_until(lambda: ready()[0] == 200, "it is ready again", 60)
