"""The whole server on PostgreSQL: what was acknowledged is there, whichever of the two is lost and comes back."""

import signal

import psutil
import pytest

from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.data_dir import DataDir
from tests.api.conftest import a_table
from tests.postgres import PASSWORD, Postgres
from tests.servers import UpServer, an_up_server, wait_until


@pytest.fixture(scope="module")
def database():
    database = Postgres()
    try:
        database.start()
        yield database
    finally:
        database.delete()


@pytest.fixture(scope="module")
def server(database: Postgres):
    url = database.url(database.new_database())
    with an_up_server(SYNTHGEN_DATABASE_URL=url) as server:
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
