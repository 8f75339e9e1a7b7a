"""`synthgen up --address` on a Ray cluster of three nodes that runs already, and a PostgreSQL.

Work runs beside the head, a node loses its power, nothing is lost; and the cluster goes on when the server has left.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from synthgen_ray.client import SynthGen
from tests.api.conftest import a_table
from tests.postgres import Postgres
from tests.ray_nodes import RayNodes, a_server_on, ray_nodes
from tests.servers import UpServer, wait_until

TRAINING = {"epochs": 300, "batch_size": 50, "embedding_dim": 8, "refine": False}
ROWS = 200_000


@pytest.fixture(scope="module")
def nodes() -> Iterator[RayNodes]:
    with ray_nodes(head_cpus=0) as nodes:  # as operators have it: what needs a CPU runs beside the head
        nodes.join(num_cpus=2)
        nodes.join(num_cpus=2)
        yield nodes


@pytest.fixture(scope="module")
def server(nodes: RayNodes, postgres: Postgres, tmp_path_factory) -> Iterator[UpServer]:
    settings = {
        "DATABASE_URL": postgres.url(postgres.new_database()),
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


def test_a_training_goes_on_elsewhere_when_it_loses_its_node(client, nodes, project):
    model = client.create_model(project["id"], project["version"], "vae", "tvae", TRAINING)
    wait_until(lambda: client.get_job(model["job_id"])["progress"] > 0.2, "the training runs")
    node = nodes.node_of("ray::TrainJob")
    assert node is not nodes.head

    nodes.kill(node)
    seen: list[dict[str, Any]] = []
    client.wait_for_job(model["job_id"], on_progress=seen.append, poll_s=0.1, timeout_s=180)

    assert min(job["progress"] for job in seen) > 0.1  # from its checkpoint
    assert len(client.get_model(model["id"])["jobs"]) == 1
    nodes.join(num_cpus=2)


def test_a_generation_outlives_a_node_and_loses_no_byte(client, nodes, project):
    def generated(victim: str | None = None) -> str:
        job = client.generate(project["model"], ROWS, seed=5)
        if victim:
            wait_until(lambda: client.get_job(job["job_id"])["progress"] > 0, "the generation runs")
            nodes.kill(nodes.node_of(victim))
        return client.wait_for_job(job["job_id"], timeout_s=180)["result"]["sha256"]

    undisturbed = generated()

    assert generated(victim="ServeReplica:synthgen:Sampler") == undisturbed


def test_the_proxy_of_that_cluster_is_behind_the_edge_as_any_other(server):
    assert httpx.get(f"{server.url}/-/routes").json()["code"] == "not_found"


def test_the_cluster_outlives_the_server(server, nodes):
    server.down()

    assert nodes.head.poll() is None
    assert nodes.count() == len(nodes.nodes)
