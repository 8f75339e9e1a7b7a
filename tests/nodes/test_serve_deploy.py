"""The topology of cluster/compose.yaml as plain processes, and `serve deploy` of configs/serve/cluster.yaml on it, or
of haproxy.yaml where BEHIND_HAPROXY is set. Its metrics are read by a Prometheus, as there."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from synthgen_ray.client import ApiError, SynthGen
from synthgen_ray.runtime.environment import PROXY
from synthgen_ray.runtime.listening import free_port
from tests.api.conftest import a_table
from tests.folders import a_folder
from tests.metrics import metrics_promised
from tests.nodes.test_nodes import BUCKET
from tests.postgres import Postgres
from tests.prometheus import a_prometheus, require_prometheus
from tests.ray_nodes import RayNodes, ray_nodes
from tests.s3 import CREDENTIALS, S3Server
from tests.servers import kill_family, processes_below, wait_until

pytestmark = pytest.mark.nightly
ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "serve" / ("haproxy.yaml" if "BEHIND_HAPROXY" in os.environ else "cluster.yaml")
README = (ROOT / "cluster" / "README.md").read_text()
# The id of the node that has CPUs.
WORKER = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
print(*(node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")))
"""
INGRESS, CONTROLLER = "ServeReplica:synthgen:Api", "ray::ServeController"
KEY = "the-admin-key-of-this-test"
BIN = Path(sys.executable).parent
COMPOSE = yaml.safe_load((ROOT / "cluster" / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with a_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def nodes(postgres: Postgres, s3: S3Server, data_dir: Path) -> Iterator[RayNodes]:
    if not s3.files(BUCKET):
        s3.filesystem.create_dir(BUCKET)
    environment = {
        "SYNTHGEN_DATABASE_URL": postgres.url(postgres.new_database()),
        "SYNTHGEN_ARTIFACTS_URL": s3.url(f"{BUCKET}/deployed"),
        "SYNTHGEN_ADMIN_KEY": KEY,
        **CREDENTIALS,
        **PROXY,
    }
    with ray_nodes(head_cpus=0, **environment) as nodes:
        nodes.join(num_cpus=2)
        yield nodes


@pytest.fixture(scope="module")
def deploy(nodes: RayNodes, data_dir: Path) -> Callable[..., str]:
    """Deploys the configuration with these settings, and answers at which address."""
    port = free_port()

    def deploy(**settings: Any) -> str:
        config = yaml.safe_load(CONFIG.read_text())
        config["proxy_location"] = "HeadOnly"
        config["http_options"] |= {"host": "127.0.0.1", "port": port}
        here = {"host": "127.0.0.1", "port": port, "data_dir": str(data_dir), "allow_remote": False}
        config["applications"][0]["args"] |= {**here, **settings}
        file = data_dir / "serve.yaml"
        file.write_text(yaml.safe_dump(config))
        run(nodes, "serve", "deploy", f"--address=http://127.0.0.1:{nodes.dashboard_port}", str(file))
        return f"http://127.0.0.1:{port}"

    return deploy


@pytest.fixture(scope="module")
def client(deploy: Callable[..., str]) -> Iterator[SynthGen]:
    with SynthGen(deploy(), KEY) as client:
        wait_until(client.is_ready, "what was deployed is ready", 180)
        yield client


@pytest.fixture
def keeps_deployed(nodes: RayNodes, data_dir: Path, client: SynthGen) -> Iterator[subprocess.Popen[bytes]]:
    """The loop of compose.yaml, here."""
    *shell, script = COMPOSE["services"]["deploy"]["command"]
    for there, here in {
        "$$": "$",
        "http://head:8888": client.base_url,
        "http://head:8265": f"http://127.0.0.1:{nodes.dashboard_port}",
        "/opt/synthgen/configs/serve/cluster.yaml": str(data_dir / "serve.yaml"),
    }.items():
        assert there in script
        script = script.replace(there, here)
    environment = {**nodes.environment, "PATH": f"{BIN}:/usr/bin:/bin"}
    with subprocess.Popen([*shell, script], env=environment, start_new_session=True) as loop:
        yield loop
        kill_family(loop.pid)


def tried(nodes: RayNodes, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command, known = [str(BIN / program), *arguments], {**nodes.environment, **environment}
    return subprocess.run(command, env=known, capture_output=True, text=True, timeout=180)


def run(nodes: RayNodes, program: str, *arguments: str, **environment: str) -> str:
    done = tried(nodes, program, *arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def a_dataset(client: SynthGen, folder: Path) -> tuple[str, str]:
    """In a project of its own; its first version."""
    (folder / "accounts.csv").write_bytes(a_table(300))
    project = client.create_project(f"Bank of {folder.name}")["id"]
    return project, client.upload_dataset(project, "accounts", folder / "accounts.csv")["dataset_version_id"]


def test_it_trains_and_generates_again_after_its_worker_was_killed(client, nodes, tmp_path):
    project, version = a_dataset(client, tmp_path)
    model = client.create_model(project, version, "copula", "gaussian_copula", {"seed": 1})["id"]
    client.wait_for_model(model, timeout_s=180)

    nodes.kill(nodes.nodes[1])
    nodes.join(num_cpus=2)
    wait_until(client.is_ready, "it is ready again", 180)
    job = client.generate(model, 500, seed=3)

    assert client.wait_for_job(job["job_id"], timeout_s=180)["result"]["num_rows"] == 500


def test_prometheus_reads_every_metric_of_it(client, nodes, tmp_path):
    require_prometheus()
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ApiError, match="empty"):
        client.upload_dataset(client.create_project("Refusals")["id"], "empty", tmp_path / "empty.csv")

    def missing() -> list[str]:
        return [name for name in metrics_promised() if not prometheus.query(f'{{__name__=~"{name}(_count)?"}}')]

    with a_prometheus(tmp_path, nodes.session / "prom_metrics_service_discovery.json") as prometheus:
        wait_until(lambda: not missing(), "it has read all of them", 60)
        one_lost = "sum(ray_synthgen_lost_nodes_total) == 1"  # by the test before
        wait_until(lambda: prometheus.query(one_lost), "the lost node is counted", 60)


@pytest.mark.skipif("BEHIND_HAPROXY" in os.environ, reason="HAProxy answers there by itself")
def test_its_proxy_is_behind_the_edge(client):
    assert httpx.get(f"{client.base_url}/-/routes").json()["code"] == "not_found"


@pytest.fixture
def settings(client: SynthGen, nodes: RayNodes, data_dir: Path) -> dict[str, str]:
    """Of what was deployed, for commands that look at it from here."""
    return {
        "SYNTHGEN_ADDRESS": nodes.address,
        "SYNTHGEN_DATA_DIR": str(data_dir),
        "SYNTHGEN_PORT": client.base_url.rpartition(":")[2],
    }


def examined(nodes: RayNodes, settings: dict[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(nodes, "synthgen", "doctor", "--json", **settings))
    return found


def test_doctor_looks_at_each_node(client, nodes, settings):
    found = examined(nodes, settings)

    said = {finding["check"]: finding for finding in found}
    assert said["database"]["level"] == said["artifacts"]["level"] == "ok"
    assert said["listening"]["said"] == f"{client.base_url} is ready."
    assert run(nodes, "synthgen", "status", **settings).startswith(f"{client.base_url} is ready (Ray at ")
    lost, alive = (finding for finding in found if finding["check"] == "ray")
    assert (lost["level"], lost["said"]) == ("warn", "1 nodes were lost since it started.")
    assert (alive["level"], alive["said"]) == ("ok", "2 nodes with 2 CPUs do our work, and agree on the time.")


def test_changed_settings_reach_the_metadata_too_once_its_actor_is_ended(client, deploy, nodes):
    code = shlex.split(README.partition("\npython -c ")[2].partition("\n")[0])[0]
    run(nodes, "python", "-c", code, RAY_ADDRESS=nodes.address)

    deploy(quotas={"pending_jobs": 7})

    wait_until(client.is_ready, "it is ready again", 180)
    project = client.create_project("Another")["id"]
    assert client.get_usage(project)["quotas"]["pending_jobs"] == 7


def test_jobs_that_come_after_serve_was_shut_down_and_deployed_again_are_done(client, deploy, nodes):
    (model,) = (one for one in client.list_models()["items"] if one["status"] == "ready")
    run(nodes, "serve", "shutdown", "--yes", f"--address=http://127.0.0.1:{nodes.dashboard_port}")
    # What is deployed while Serve goes is lost with it: behind HAProxy its replicas stay for half a minute.
    wait_until(lambda: not any(processes_below(node.pid, CONTROLLER) for node in nodes.nodes), "Serve is gone")

    deploy()

    wait_until(client.is_ready, "it is ready again", 180)
    job = client.generate(model["id"], 500, seed=3)
    assert client.wait_for_job(job["job_id"], timeout_s=60)["status"] == "completed"


def test_what_a_node_that_is_drained_has_to_do_is_done_by_another(client, nodes, settings, tmp_path):
    """As the runbook has it: drained, and then stopped. What answered there moves; a training goes on elsewhere."""
    project, version = a_dataset(client, tmp_path)
    training = client.create_model(
        project, version, "long", "tvae", {"epochs": 10_000, "batch_size": 100, "early_stop": False}
    )
    wait_until(lambda: client.get_job(training["job_id"])["progress"] > 0, "it trains", 60)
    command = README.partition("ray drain-node ")[2].partition("\n")[0]
    node_id = run(nodes, "python", "-c", WORKER, nodes.address).strip()

    run(nodes, "ray", "drain-node", f"--address={nodes.address}", *shlex.split(command.replace("NODE_ID", node_id)))
    of_nodes = [finding for finding in examined(nodes, settings) if finding["check"] == "ray"]
    drained, other = nodes.nodes[1], nodes.join(num_cpus=2)

    wait_until(lambda: processes_below(other.pid, INGRESS), "an ingress is on the other node")
    wait_until(lambda: not processes_below(drained.pid, INGRESS), "none is on the one that is drained")
    assert client.is_ready()
    *_, leaving, others = of_nodes
    assert (leaving["level"], "is draining: it takes no more work" in leaving["said"]) == ("ok", True)
    assert (others["level"], others["said"].split(" do ")[0]) == ("ok", "1 nodes with 0 CPUs")

    assert client.get_job(training["job_id"])["status"] == "running"
    nodes.kill(drained)
    assert client.wait_for_model(training["id"], timeout_s=280)["status"] == "ready"
    assert client.is_ready()


def test_a_head_that_starts_again_is_healthy_and_gets_what_was_deployed(client, nodes, keeps_deployed):
    for worker in nodes.nodes[1:]:
        nodes.kill(worker)
    wait_until(lambda: processes_below(keeps_deployed.pid, "serve deploy"), "it is told, as nothing answers", 60)
    wait_until(lambda: not processes_below(keeps_deployed.pid, "serve deploy"), "it knows", 60)
    nodes.kill(nodes.head)  # which knows of nothing when it starts again
    nodes.start_head(num_cpus=0)
    nodes.join(num_cpus=2)
    _, *check = COMPOSE["services"]["head"]["healthcheck"]["test"]
    program, *arguments = (word.replace(":8265", f":{nodes.dashboard_port}") for word in check)

    # As compose does, which asks again and again.
    wait_until(lambda: tried(nodes, program, *arguments).returncode == 0, "the head is healthy", 60)
    wait_until(client.is_ready, "it is ready again", 180)

    assert client.list_projects()["total"] > 0
