"""The whole server on PostgreSQL and S3: what was acknowledged is there, whichever of them is lost and comes back.

Of what is deleted nothing is left.
"""

import io
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.data_dir import DataDir
from tests.api.conftest import a_table
from tests.cluster.conftest import QUICK
from tests.postgres import PASSWORD, Postgres, a_postgres
from tests.s3 import CREDENTIALS, S3Server
from tests.servers import UpServer, an_up_server, wait_until

BUCKET = "synthgen-of-tests"


@pytest.fixture(scope="module")
def database():
    with a_postgres() as database:
        yield database


@pytest.fixture(scope="module")
def server(database: Postgres, s3: S3Server) -> Iterator[UpServer]:
    s3.filesystem.create_dir(BUCKET)
    places = {"DATABASE_URL": database.url(database.new_database()), "ARTIFACTS_URL": s3.url(f"{BUCKET}/place")}
    with an_up_server(**{f"SYNTHGEN_{name}": url for name, url in places.items()}, **CREDENTIALS) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: UpServer):
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def model(client: SynthGen, tmp_path_factory) -> str:
    file = tmp_path_factory.mktemp("tables") / "accounts.csv"
    file.write_bytes(a_table(300))
    project = client.create_project("Bank")
    dataset = client.upload_dataset(project["id"], "accounts", file)
    model = client.create_model(project["id"], dataset["dataset_version_id"], "copula", "gaussian_copula")
    client.wait_for_model(model["id"], timeout_s=120)
    return model["id"]


@pytest.fixture(scope="module")
def sha256(client: SynthGen, model: str) -> str:
    return sha256_of_rows(client, model)


def sha256_of_rows(client: SynthGen, model: str) -> str:
    job = client.generate(model, 1000, seed=3)
    return client.wait_for_job(job["job_id"], timeout_s=120)["result"]["sha256"]


def test_a_metadata_actor_that_was_killed_finds_all_again(server, client, model, sha256):
    before = client.list_jobs()

    server.kill("ray::Metadata")

    wait_until(lambda: client.list_jobs() == before, "the store answers as before")
    assert sha256_of_rows(client, model) == sha256


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_database_that_was_restarted_is_found_again(how, database, server, client, model, sha256):
    before = client.list_jobs()

    database.stop(how)
    wait_until(lambda: not client.is_ready(), "the server says that it is not ready")
    database.start()

    wait_until(client.is_ready, "the server is ready again")
    assert client.list_jobs() == before
    assert sha256_of_rows(client, model) == sha256


def test_a_server_that_was_restarted_finds_all_again(server, client, model, sha256):
    before = client.list_jobs()

    server.down()
    server.up()

    assert client.list_jobs() == before
    assert sha256_of_rows(client, model) == sha256


def test_the_databases_password_is_in_no_title_file_or_log(server, model):
    info = DataDir(server.data_dir).find_info()
    for process in psutil.Process(info.pid).children(recursive=True):
        assert PASSWORD not in " ".join(process.cmdline())
    for path in server.data_dir.rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


def files_of(server: UpServer) -> set[Path]:
    """What is on this machine beside the metadata, the server's own files and copies that it may need again."""
    places = (server.data_dir / name for name in ("artifacts", "scratch", "train"))
    return {path for place in places for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("model_type", ["gaussian_copula", "tvae"])  # the second one by Ray Train
def test_a_model_is_trained_sampled_in_each_format_and_deleted_without_a_trace(server, s3, tmp_path, model_type):
    before, before_here = s3.files(BUCKET), files_of(server)
    (tmp_path / "accounts.csv").write_bytes(a_table(300))
    config = {} if model_type == "gaussian_copula" else QUICK
    with server.client() as client:
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
    assert {path.split("/")[1] for path in kept - before} == {"datasets", "jobs"}
    assert not [path for path in kept if "snapshot" in path or "marker" in path]  # Ray Train's own go with the run
    wait_until(lambda: s3.files(BUCKET) == before, "the bucket is as it was", 60)
    assert files_of(server) == before_here == set()


def test_it_is_ready_only_while_the_object_store_answers(server, s3):
    def ready() -> tuple[int, str]:
        answer = httpx.get(f"{server.url}/readyz", timeout=60)
        return answer.status_code, answer.json().get("code", "")

    before = ready()
    s3.gate.shut()
    try:
        wait_until(lambda: ready() == (503, "artifacts_unavailable"), "readyz says that the object store is away", 60)
    finally:
        s3.gate.open()

    assert before == (200, "")
    wait_until(lambda: ready()[0] == 200, "it is ready again", 60)
