"""`synthgen up --address` on a Ray cluster of three nodes that runs already, with PostgreSQL and an object store.

Work runs beside the head. A node falls silent, or what keeps the metadata is killed, or a store goes away and comes
back: nothing that was acknowledged is lost. Of what is deleted nothing is left, and the cluster outlives the server.
"""

import io
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.runtime.listening import free_port
from tests.api.conftest import a_table
from tests.cluster.conftest import QUICK
from tests.postgres import PASSWORD, Postgres, a_postgres
from tests.ray_nodes import RayNodes, ServerOnNodes, a_server_on, ray_nodes
from tests.s3 import CREDENTIALS, S3Server
from tests.servers import SAMPLER, UpServer, kill_family, processes_below, wait_until
from tests.unit.runtime.test_tidying import abandoned

TRAINING = {"epochs": 300, "early_stop": False, "batch_size": 50, "embedding_dim": 8, "refine": False}
ROWS = 200_000
BUCKET = "synthgen-of-tests"
TIDYING = """
import asyncio
import sys
from pathlib import Path
import ray
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.runtime.tidying import Rounds, tidy_nodes
from synthgen_ray.settings import LogFormat

ray.init(address=sys.argv[1], log_to_driver=False)
print(len(asyncio.run(tidy_nodes(DiskArtifacts(Path(sys.argv[2])), Rounds(), LogFormat.JSON))))
"""


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    # As operators have it: what needs a CPU runs beside the head.
    with ray_nodes(head_cpus=0, **CREDENTIALS) as nodes:
        nodes.join(num_cpus=2)
        nodes.join(num_cpus=2)
        yield nodes


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with a_postgres() as database:
        yield database


@pytest.fixture(scope="module")
def server(nodes: RayNodes, database: Postgres, s3: S3Server, tmp_path_factory) -> Iterator[ServerOnNodes]:
    s3.filesystem.create_dir(BUCKET)
    settings = {
        "DATABASE_URL": database.url(database.new_database()),
        "ARTIFACTS_URL": s3.url(f"{BUCKET}/place"),
        "INGRESS__REPLICAS": "2",
        "SAMPLER__MIN_REPLICAS": "2",
        "SAMPLER__MAX_REPLICAS": "2",
    }
    with a_server_on(nodes, tmp_path_factory.mktemp("server"), **settings) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: UpServer) -> Iterator[SynthGen]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def project(client: SynthGen, tmp_path_factory) -> dict[str, str]:
    table = tmp_path_factory.mktemp("tables") / "accounts.csv"
    table.write_bytes(a_table(300))
    project = client.create_project("Bank")["id"]
    version = client.upload_dataset(project, "accounts", table)["dataset_version_id"]
    model = client.create_model(project, version, "copula", "gaussian_copula", {"seed": 1})["id"]
    client.wait_for_model(model, timeout_s=120)
    return {"id": project, "version": version, "model": model}


def sha256_of_rows(client: SynthGen, model: str) -> str:
    job = client.generate(model, 1000, seed=3)
    return client.wait_for_job(job["job_id"], timeout_s=120)["result"]["sha256"]


@pytest.fixture(scope="module")
def sha256(client: SynthGen, project: dict[str, str]) -> str:
    return sha256_of_rows(client, project["model"])


def files_of(server: UpServer) -> set[Path]:
    """What is on this machine beside the metadata, the server's own files and copies that it may need again."""
    places = (server.data_dir / name for name in ("artifacts", "scratch", "train"))
    return {path for place in places for path in place.rglob("*") if path.is_file()}


def trains_on_both(nodes: RayNodes) -> bool:
    """As long as each node has an ingress and a sampler, and so no room for two."""
    return [len(processes_below(node.pid, "RayTrainWorker")) for node in nodes.nodes] == [0, 1, 1]


def test_what_is_trained_sampled_in_each_format_and_deleted_leaves_no_trace(server, client, nodes, s3, tmp_path):
    before, before_here = s3.files(BUCKET), files_of(server)
    (tmp_path / "accounts.csv").write_bytes(a_table(300))
    project = client.create_project("Traceless")
    dataset = client.upload_dataset(project["id"], "accounts", tmp_path / "accounts.csv")
    given = (project["id"], dataset["dataset_version_id"], "m")
    by_one = client.create_model(*given, "gaussian_copula")
    model = client.create_model(*given, "tvae", QUICK, {"num_workers": 2})
    wait_until(lambda: trains_on_both(nodes), "there is a worker on each node that has CPUs")
    assert nodes.node_of("ray::lead ") is nodes.head
    for trained in (by_one, model):
        client.wait_for_model(trained["id"], timeout_s=240)

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


def test_nodes_are_tidied_also_where_nobody_is_at_work_any_more(nodes, tmp_path):
    left = abandoned(DiskArtifacts(tmp_path))
    command = [sys.executable, "-c", TIDYING, nodes.address, str(tmp_path)]

    done = subprocess.run(command, env=nodes.environment, capture_output=True, text=True, timeout=200)

    assert (done.stdout.strip(), left.exists()) == (str(len(nodes.nodes) - 1), False), done.stderr


def test_a_generation_is_drawn_by_the_samplers_of_all_nodes(client, nodes, project):
    samplers = [process for node in nodes.nodes for process in processes_below(node.pid, SAMPLER)]

    def seconds() -> list[float]:
        return [sum(sampler.cpu_times()[:2]) for sampler in samplers]

    before = seconds()
    job = client.generate(project["model"], 4 * ROWS, seed=7)
    client.wait_for_job(job["job_id"], timeout_s=240)
    used = [after - early for after, early in zip(seconds(), before, strict=True)]

    assert len(samplers) == 2
    assert min(used) > max(used) / 4


def test_the_proxy_of_that_cluster_is_behind_the_edge_as_any_other(server):
    assert httpx.get(f"{server.url}/-/routes").json()["code"] == "not_found"


def test_a_server_of_another_database_is_refused_there_and_leaves_the_first_at_work(server, client, nodes, tmp_path):
    before = client.list_jobs()
    environment = {**server.environment, "SYNTHGEN_DATA_DIR": str(tmp_path / "data")}
    del environment["SYNTHGEN_DATABASE_URL"]  # of its own it has one in its data directory
    other = ServerOnNodes(tmp_path / "data", free_port(), environment, nodes)

    refused = other.up(check=False)

    assert (refused.returncode, "has a server already, of another database" in refused.stderr) == (1, True)
    assert client.list_jobs() == before  # with the key that it had


def test_a_metadata_actor_that_was_killed_finds_all_again(server, client, project, sha256):
    before = client.list_jobs()

    server.kill("ray::Metadata")

    wait_until(lambda: client.list_jobs() == before, "the store answers as before")
    assert sha256_of_rows(client, project["model"]) == sha256


@pytest.mark.parametrize("how", [pytest.param(signal.SIGINT, marks=pytest.mark.nightly), signal.SIGQUIT])
def test_a_database_that_was_restarted_is_found_again(how, database, client, project, sha256):
    before = client.list_jobs()

    database.stop(how)
    wait_until(lambda: not client.is_ready(), "the server says that it is not ready")
    database.start()

    wait_until(client.is_ready, "the server is ready again")
    assert client.list_jobs() == before
    assert sha256_of_rows(client, project["model"]) == sha256


def test_it_is_ready_only_while_the_object_store_answers(server, s3):
    def ready() -> tuple[int, str]:
        answer = httpx.get(f"{server.url}/readyz", timeout=60)
        return answer.status_code, answer.json().get("code", "")

    # Each of the two ingresses remembers for a second how the test before this one left the database.
    wait_until(lambda: ready() == (200, ""), "it is ready")
    s3.gate.shut()
    try:
        wait_until(lambda: ready() == (503, "artifacts_unavailable"), "readyz says that the object store is away", 60)
    finally:
        s3.gate.open()

    wait_until(lambda: ready() == (200, ""), "it is ready again", 60)


@pytest.mark.nightly
def test_a_server_that_was_killed_is_followed_by_another_one_on_the_same_port(server, client, project, sha256):
    before = client.list_jobs()
    info = DataDir(server.data_dir).find_info()
    assert info is not None

    kill_family(info.pid)
    assert client.is_ready()  # what serves is the cluster's
    server.up()

    assert client.list_jobs() == before
    assert sha256_of_rows(client, project["model"]) == sha256


def test_the_databases_password_is_in_no_title_file_or_log(server, nodes, project):
    for node in nodes.nodes:
        for process in psutil.Process(node.pid).children(recursive=True):
            assert PASSWORD not in " ".join(process.cmdline())
    for place in (server.data_dir, nodes.session):
        for path in place.rglob("*"):
            assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


@pytest.mark.nightly
def test_the_cluster_outlives_the_server_whose_next_one_finds_all_again(server, client, nodes, project, sha256):
    before = client.list_jobs()

    server.down()
    assert nodes.head.poll() is None
    assert nodes.count() == len(nodes.nodes)
    server.up()

    assert client.list_jobs() == before
    assert sha256_of_rows(client, project["model"]) == sha256


def test_a_training_and_a_generation_outlive_the_silence_of_a_node_that_both_are_on(client, nodes, project):
    """The last one: it leaves a node less."""

    def generation() -> str:
        return client.generate(project["model"], ROWS, seed=5)["job_id"]

    def sha256_of(job_id: str) -> str:
        return client.wait_for_job(job_id, timeout_s=240)["result"]["sha256"]

    undisturbed = sha256_of(generation())
    model = client.create_model(project["id"], project["version"], "vae", "tvae", TRAINING)
    wait_until(lambda: client.get_job(model["job_id"])["progress"] > 0.2, "the training runs")
    node = nodes.node_of("ray::train ")
    assert node is not nodes.head
    assert processes_below(node.pid, SAMPLER)
    generated = generation()
    wait_until(lambda: client.get_job(generated)["progress"] > 0, "the generation runs")

    nodes.silence(node)
    seen: list[dict[str, Any]] = []
    client.wait_for_job(model["job_id"], on_progress=seen.append, poll_s=0.1, timeout_s=240)

    # From its checkpoint, however far that was behind on a busy machine: where there is none, a claim begins at 0.
    assert min(job["progress"] for job in seen) > 0
    assert len(client.get_model(model["id"])["jobs"]) == 1
    assert sha256_of(generated) == undisturbed
    nodes.kill(node)
