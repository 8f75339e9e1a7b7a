"""That `make check` finds what is wrong with a manifest; and that what is there is right."""

import inspect
import re
import subprocess
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from ray._private.ray_constants import DEFAULT_DASHBOARD_PORT
from ray.autoscaler._private.kuberay.autoscaling_config import _generate_available_node_types_from_ray_cr_spec
from ray.dashboard import http_server_head

from synthgen_ray.runtime.deploy import CALL_S
from synthgen_ray.runtime.environment import PROXY
from synthgen_ray.runtime.tidying import NODES_EVERY_S
from tests.manifests.checks import CHECKS
from tests.manifests.nodes import OPEN
from tests.manifests.unsound import Unsound

ROOT = Path(__file__).parents[2]
FILES = {str(file.relative_to(ROOT)): check for pattern, check in CHECKS.items() for file in ROOT.glob(pattern)}
SERVE, COMPOSE, RAY_UP = "configs/serve/cluster.yaml", "cluster/compose.yaml", "cluster/ray-up.yaml"
RAYSERVICE, DOCKERFILE = "cluster/rayservice.yaml", "cluster/Dockerfile"


@pytest.mark.parametrize("file", FILES)
def test_each_is_sound(file):
    FILES[file]((ROOT / file).read_text())


@pytest.mark.parametrize("file", sorted((ROOT / "configs/serve").glob("*.yaml")), ids=lambda file: file.name)
def test_a_call_may_last_as_long_however_it_is_deployed(file):
    assert yaml.safe_load(file.read_text())["http_options"]["request_timeout_s"] == CALL_S


def test_none_is_left_out():
    assert {"local", "cluster", "haproxy"} == {Path(file).stem for file in FILES if file.startswith("configs")}
    assert {COMPOSE, RAY_UP, RAYSERVICE, DOCKERFILE} < set(FILES)


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        (SERVE, "route_prefix:", "route_prefx:"),
        (SERVE, "request_timeout_s:", "request_timeout:"),
        (SERVE, "enable_access_log:", "access_log:"),
        (SERVE, "max_replicas: 2", "max_replica: 2"),
        (SERVE, "replicas: 2", "replicas: two"),
        (SERVE, "    port: 8888\n    address", "    port: 8889\n    address"),
        (SERVE, "    address: auto", "    address: auto\n    admin_key: a-key-that-all-can-read"),
        (RAYSERVICE, "        address: auto", "        address: auto\n        database_url: postgresql://me:secret@db/it"),
        (COMPOSE, "healthcheck:", "healthchek:"),
        (COMPOSE, "service_healthy", "service_helthy"),
        (COMPOSE, "networks: [inside]\n\nservices", "networks: [insid]\n\nservices"),
        (COMPOSE, "127.0.0.1:8888:8888", "8888:8888"),
        (COMPOSE, "prom/prometheus:v3.13.4", "prom/prometheus:latest"),
        (COMPOSE, "${S3_SECRET:?}", "${S3_SECRT:?}"),
        (COMPOSE, '"postgres:/var', '"postgress:/var'),
        (COMPOSE, "  prometheus: {}\n", ""),
        (COMPOSE, "./grafana/provisioning:", "./grafana/provision:"),
        (COMPOSE, "exec ray start --head --block --num-cpus", "exec ray start --head --block --num-cpu"),
        (COMPOSE, "start, --block, ", "start, --blok, "),
        (RAY_UP, "max_workers: 2", "max_worker: 2"),
        (RAY_UP, "container_name:", "containername:"),
        (RAY_UP, "$RAY_HEAD_IP:6379 --metrics-export-port", "$RAY_HEAD_IP:6379 --metrics-port"),
        (RAYSERVICE, "maxReplicas: 10", "maxReplica: 10"),
        (RAYSERVICE, "minReplicas: 2", "minReplicas: 11"),
        (RAYSERVICE, "upgradeStrategy:", "updateStrategy:"),
        (RAYSERVICE, "mode: token", "mode: tokens"),
        (RAYSERVICE, "import_path:", "importpath:"),
        (RAYSERVICE, "readinessProbe:", "readynessProbe:"),
        (RAYSERVICE, "enableServiceLinks: false  ", "enableServiceLinks: true  "),
        (RAYSERVICE, "policyTypes:", "policyType:"),
        (RAYSERVICE, "mountPath:", "path:"),
        (RAYSERVICE, 'sizeLimit: 20Gi', 'sizeLimit: 20 GB'),
        (RAYSERVICE, "{name: serve, containerPort: 8888}      #", "#"),
        (RAYSERVICE, "labels: {app.kubernetes.io/instance:", "labels: {app.kubernetes.io/name:"),
        (RAYSERVICE, "io/instance: synthgen}  ", "io/instance: synth}  "),
        (RAYSERVICE, "num-cpus:", "num-cpu:"),
        (RAYSERVICE, "{port: 8265, protocol: TCP}", "{port: 8266, protocol: TCP}"),
        (RAYSERVICE, "component: kuberay-operator}\n            namespaceSelector: {}", "component: kuberay-operator}"),
        (RAYSERVICE, "gcs_healthz, port: 8265", "gcs_healthz, port: 8266"),
        (RAYSERVICE, "{name: serve, containerPort: 8888}      #", "{name: serve, containerPort: 8889}      #"),
        (RAYSERVICE, "{port: 8080, protocol: TCP}", "{port: 8081, protocol: TCP}"),
        (DOCKERFILE, "USER synthgen", "USER root"),
        (DOCKERFILE, "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S=50", "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S=5"),
        (DOCKERFILE, "python:3.11.15-slim-trixie", "python"),
        (DOCKERFILE, "RUN python", "RUN curl https://example.com/install.sh | sh && python"),
    ],
)  # fmt: skip
def test_a_slip_is_refused(file, right, wrong):
    text = (ROOT / file).read_text()
    assert right in text

    with pytest.raises(Unsound):
        FILES[file](text.replace(right, wrong))


def test_who_starts_ray_by_hand_is_told_what_it_needs():
    """Elsewhere `make check` looks at what Ray is started with: `tests/manifests/nodes.py`."""
    (exported,) = re.findall(r"^#   export (.+)$", (ROOT / "configs/serve/local.yaml").read_text(), re.MULTILINE)

    assert dict(word.split("=") for word in exported.split()) == {"RAY_AUTH_MODE": "token", **PROXY}


def test_probes_ask_what_ray_leaves_open():
    """Of the dashboard it has no list that could be imported."""
    source = inspect.getsource(http_server_head)
    (public,) = re.findall(r"public_exact_paths = {(.+?)}", source, re.DOTALL)

    assert set(OPEN[DEFAULT_DASHBOARD_PORT]) <= set(re.findall(r'"(/.*?)"', public))


def test_the_image_has_the_ray_that_kubernetes_is_told_of():
    (ray,) = re.findall(r"^[^#\n]*\bray==(\S+)", (ROOT / DOCKERFILE).read_text(), re.MULTILINE)
    service, _ = yaml.safe_load_all((ROOT / RAYSERVICE).read_text())

    assert service["spec"]["rayClusterConfig"]["rayVersion"] == ray


@pytest.mark.parametrize("file", [COMPOSE, RAY_UP])
def test_rays_objects_fit_the_memory_that_is_shared(file):
    """Else Ray keeps them on the disk."""
    text = (ROOT / file).read_text()
    (shared,) = re.findall(r"shm[-_]size[:=] ?(\d+)gb", text)
    asked = [int(size) for size in re.findall(r"--object-store-memory=(\d+)", text)]

    assert len(asked) == len(re.findall("ray,? start", text))
    assert max(asked) < int(shared) * 2**30


def test_ray_may_open_a_file_for_each_of_a_thousand_clients():
    """KubeRay sees to it by itself."""
    services = yaml.safe_load((ROOT / COMPOSE).read_text())["services"]
    by_ray_up = yaml.safe_load((ROOT / RAY_UP).read_text())["docker"]["run_options"]

    assert {services[name]["ulimits"]["nofile"] for name in ("head", "worker")} == {65536}
    assert "--ulimit nofile=65536:65536" in by_ray_up


def test_compose_asks_the_server_by_a_name_that_it_always_knows(monkeypatch):
    """Else whoever says in `allowed_hosts` by which names it is called has it deployed again and again."""
    asked: list[urllib.request.Request] = []
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout: asked.append(request))
    service = yaml.safe_load((ROOT / COMPOSE).read_text())["services"]["deploy"]
    (looks_itself,) = re.findall(r'python -c "([^"]+)"', service["command"][-1])

    for program in (looks_itself, service["healthcheck"]["test"][-1]):
        exec(program, {})

    assert [(request.selector, request.get_header("Host")) for request in asked] == [
        ("/healthz", "localhost"),
        ("/readyz", "localhost"),
    ]


def test_autoscalers_let_an_idle_node_go_before_it_is_tidied_again():
    """Which to Ray is work: one that has to be idle for longer stays for an hour."""
    service, _ = yaml.safe_load_all((ROOT / RAYSERVICE).read_text())
    by_kuberay_s = service["spec"]["rayClusterConfig"]["autoscalerOptions"]["idleTimeoutSeconds"]
    by_ray_up_s = 60 * yaml.safe_load((ROOT / RAY_UP).read_text())["idle_timeout_minutes"]

    assert max(by_kuberay_s, by_ray_up_s) < NODES_EVERY_S


def test_an_autoscaler_knows_of_nodes_that_are_not_there_yet_whether_they_may_serve():
    """Else it starts GPUs for samplers that may not run beside them."""
    service, _ = yaml.safe_load_all((ROOT / RAYSERVICE).read_text())
    (application,) = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    ((label, wanted),) = application["args"]["label_selector"].items()

    nodes = _generate_available_node_types_from_ray_cr_spec(service["spec"]["rayClusterConfig"])

    barred = {name for name, node in nodes.items() if wanted == f"!{node['labels'].get(label)}"}
    assert barred == {name for name, node in nodes.items() if "GPU" in node["resources"]}


@pytest.mark.parametrize("name", ["SYNTHGEN_DATABASE_URL", "SYNTHGEN_ADMIN_KEY"])
def test_no_pod_starts_without_what_all_of_them_must_share(name):
    """As of a secret from which all is taken that it has: each pod would make a database and a key for itself."""
    service, _ = yaml.safe_load_all((ROOT / RAYSERVICE).read_text())
    cluster = service["spec"]["rayClusterConfig"]
    named = {"name": name, "valueFrom": {"secretKeyRef": {"name": "synthgen", "key": name}}}

    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert all(named in container["env"] for container in group["template"]["spec"]["containers"])


def test_no_machine_of_ray_up_starts_without_what_all_of_them_must_share():
    (command,) = yaml.safe_load((ROOT / RAY_UP).read_text())["setup_commands"]
    shared = ("RAY_AUTH_TOKEN", "SYNTHGEN_DATABASE_URL", "SYNTHGEN_ARTIFACTS_URL", "SYNTHGEN_ADMIN_KEY")

    def starts(names: Iterable[str]) -> bool:
        return subprocess.run(["/bin/bash", "-c", command], env=dict.fromkeys(names, "x"), check=False).returncode == 0

    assert starts(shared)
    assert not any(starts(set(shared) - {name}) for name in shared)


def test_serves_proxy_is_behind_the_edge_in_each_pod():
    """In the image too, which `make check` holds against all of `DEFAULTS`."""
    service, _ = yaml.safe_load_all((ROOT / RAYSERVICE).read_text())
    cluster = service["spec"]["rayClusterConfig"]

    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        for container in group["template"]["spec"]["containers"]:
            assert PROXY.items() <= {one["name"]: one.get("value") for one in container["env"]}.items()
