"""Slips that a schema allows and that would break a deployment, or open it: each is found, and its place told."""

from pathlib import Path

import pytest

from tests.manifests.checks import CHECKS
from tests.manifests.unsound import Unsound

ROOT = Path(__file__).parents[2]
COMPOSE, DOCKERFILE, RAY_UP = "cluster/compose.yaml", "cluster/Dockerfile", "cluster/ray-up.yaml"
RAYSERVICE, README, ENV_EXAMPLE = "cluster/rayservice.yaml", "cluster/README.md", "cluster/compose.env.example"
WORKER = "  worker:\n    <<: *ray\n"
SERVE = "configs/serve/local.yaml"
CHECK = {
    **{file: CHECKS[file] for file in (COMPOSE, DOCKERFILE, RAY_UP, RAYSERVICE, README, ENV_EXAMPLE)},
    SERVE: CHECKS["configs/serve/*.yaml"],
}


def refuses(file: str, right: str, wrong: str, says: str, times: int = 1) -> None:
    text = (ROOT / file).read_text()
    assert text.count(right) >= times

    with pytest.raises(Unsound) as refused:
        CHECK[file](text.replace(right, wrong, times))

    assert says in str(refused.value)


NAMES = [
    (COMPOSE, "SYNTHGEN_ARTIFACTS_URL: s3:", "SYNTHGEN_ARTIFACT_URL: s3:"),
    (DOCKERFILE, "SYNTHGEN_DATA_DIR=", "SYNTHGEN_DATADIR="),
    (ENV_EXAMPLE, "SYNTHGEN_ADMIN_KEY=", "SYNTHGEN_ADMINKEY="),
    (RAY_UP, '"${SYNTHGEN_ARTIFACTS_URL:?}"', '"${SYNTHGEN_ARTIFACT_URL:?}"'),
    (RAYSERVICE, "- {name: SYNTHGEN_ARTIFACTS_URL", "- {name: SYNTHGEN_ARTIFACT_URL"),
    (RAYSERVICE, "key: SYNTHGEN_DATABASE_URL", "key: SYNTHGEN_DATABASE"),
    (README, "- {name: SYNTHGEN_ARTIFACTS_URL", "- {name: SYNTHGEN_ARTIFACT_URL"),
    (SERVE, "environment in which Ray was started has SYNTHGEN_DATABASE_URL", "environment has SYNTHGEN_DATABASE_UR"),
]


@pytest.mark.parametrize(("file", "right", "wrong"), NAMES)
def test_a_variable_that_nothing_reads_is_found_wherever_it_is_named(file, right, wrong):
    line = (ROOT / file).read_text().partition(right)[0].count("\n") + 1

    refuses(file, right, wrong, f"line {line}: SYNTHGEN_")


VALUES = [
    (COMPOSE, "?endpoint_override=s3:9000", "?endpoint=s3:9000", "head: SYNTHGEN_ARTIFACTS_URL: "),
    (COMPOSE, "postgresql://synthgen:$", "mysql://synthgen:$", "head: SYNTHGEN_DATABASE_URL: "),
    (RAYSERVICE, '"s3://synthgen/', '"s3:/synthgen/', "headGroupSpec: SYNTHGEN_ARTIFACTS_URL: "),
    (
        RAYSERVICE,
        "- {name: RAY_AUTH_MODE,",
        "- {name: SYNTHGEN_TRAINING__MAX_RUNING, value: '3'}\n            - {name: RAY_AUTH_MODE,",
        "headGroupSpec: SYNTHGEN_TRAINING__MAX_RUNING: ",
    ),
]
TOKEN = [
    (COMPOSE, "RAY_AUTH_MODE: token", "RAY_AUTH_MODE: tokens", "head: without RAY_AUTH_MODE=token"),
    (RAYSERVICE, "{name: RAY_AUTH_MODE, value: token}", "{name: RAY_AUTH_MODE, value: none}", "headGroupSpec: without"),
    (RAYSERVICE, "{name: RAY_AUTH_MODE, ", "{name: RAY_AUTHMODE, ", "headGroupSpec: without RAY_AUTH_MODE=token"),
    (RAY_UP, "RAY_AUTH_MODE=token ray start --head", "ray start --head", "head_start_ray_commands: without"),
    (RAY_UP, "RAY_AUTH_MODE=token ray start --address", "ray start --address", "worker_start_ray_commands: without"),
    (DOCKERFILE, "    RAY_AUTH_MODE=token", "#   RAY_AUTH_MODE=token", "it does not set RAY_AUTH_MODE to token"),
]
OPTIONS = [
    (COMPOSE, "--object-store-memory=1000000000", "--object-store=1", "head: `ray start`: No such option"),
    (COMPOSE, "start, --block, ", "start, --blok, ", "worker: `ray start`: No such option '--blok'"),
    (COMPOSE, "serve deploy --address", "serve deploy --adress", "deploy: `serve deploy`: No such option '--adress'"),
    (COMPOSE, "serve status", "serve state", "deploy: `serve` has no command state"),
    (RAY_UP, "--head --port=6379 --num-cpus=0", "--head --num-cpu=0", "head_start_ray_commands: `ray start`: No"),
    (
        RAY_UP,
        "--metrics-export-port=8080 --object-store-memory=6000000000\n",
        "--metrics=8080\n",
        "worker_start_ray_commands: `ray start`: No",
    ),
    (RAY_UP, "- ray stop", "- ray sto", "head_start_ray_commands: `ray` has no command sto"),
    (RAY_UP, "--cap-drop=ALL", "--cap-drp=ALL", "docker.run_options: --cap-drp=ALL is none"),
    (RAY_UP, "--shm-size=8gb", "--shm-sise=8gb", "docker.run_options: --shm-sise=8gb is none"),
    (RAYSERVICE, 'num-cpus: "0"', 'num-cpu: "0"', "headGroupSpec: `ray start`: No such option"),
    (RAYSERVICE, 'num-cpus: "0"', "num-cpus: none", "headGroupSpec: `ray start`: Invalid value for '--num-cpus'"),
    (RAYSERVICE, "rayStartParams: {metrics", 'rayStartParams: {block: "yes", metrics', "workerGroupSpecs: cpu: `ray"),
    (DOCKERFILE, '"--block"', '"--blok"', "CMD: `ray start`: No such option '--blok'"),
    (DOCKERFILE, "CMD [", "CMD ray start [", "what it runs is to be a list of words"),
    (RAY_UP, "--env-file=/etc/synthgen.env", "--env-file", "docker.run_options: argument --env-file: expected"),
    (README, "[synthgen, restore, ", "[synthgen, restor, ", "synthgen-restore: `synthgen` has no"),
]
REACHED = [
    (COMPOSE, '"--address=head:6379"', '"--address=had:6379"', "worker: its --address=had:6379 is not"),
    (COMPOSE, '"--address=head:6379"', '"--address=head:6380"', "worker: its --address=head:6380 is not"),
    (COMPOSE, '--block, "--address=head:6379"', "--block, --head", "2 containers start a head"),
    (
        COMPOSE,
        "serve status --address=http://head:8265",
        "serve status --address=http://had:8265",
        "deploy: it calls had,",
    ),
    (
        COMPOSE,
        "deploy --address=http://head:8265",
        "deploy --address=http://head:8256",
        "deploy: it calls head:8256, where",
    ),
    (COMPOSE, "@postgres/synthgen", "@postgresql/synthgen", "head: it calls postgresql, which is no service"),
    (COMPOSE, "endpoint_override=s3:9000", "endpoint_override=minio:9000", "head: it calls minio, which is no service"),
    (COMPOSE, "http://prometheus:9090", "http://prom:9090", "grafana: it calls prom, which is no service"),
    (COMPOSE, "127.0.0.1:8888:8888", "127.0.0.1:8888:8889", "head: it publishes 127.0.0.1:8888:8889"),
    (COMPOSE, "--dashboard-host=0.0.0.0", "--dashboard-host=127.0.0.1", "head: its dashboard is at 127.0.0.1"),
    (RAYSERVICE, "dashboard-host: 0.0.0.0", "dashboard-host: 127.0.0.1", "headGroupSpec: its dashboard is at"),
    (
        RAY_UP,
        "--dashboard-host=127.0.0.1",
        "--dashboard-host=0.0.0.0",
        "head_start_ray_commands: its dashboard is at 0.0.0.0",
    ),
    (RAY_UP, "--port=6379", "--port=6380", "worker_start_ray_commands: its --address="),
    (RAY_UP, "$RAY_HEAD_IP:", "$HEAD_IP:", "worker_start_ray_commands: its --address="),
    (
        RAYSERVICE,
        "gcs-server, containerPort: 6379",
        "gcs-server, containerPort: 6380",
        "headGroupSpec: ports: gcs-server",
    ),
]
PROBES = [
    (COMPOSE, "8265/api/gcs_healthz", "8265/api/gcs_health", "head: a probe asks port 8265 for /api/gcs_health,"),
    (COMPOSE, "52365/api/local_raylet_healthz", "52365/api/gcs_healthz", "worker: a probe asks port 52365 for"),
    (COMPOSE, "127.0.0.1:52365/", "127.0.0.1:8265/", "worker: it calls 127.0.0.1:8265,"),
    (RAYSERVICE, "/api/gcs_healthz", "/api/version", "headGroupSpec: a probe asks port 8265 for /api/version"),
    (RAYSERVICE, "/api/local_raylet_healthz", "/api/local_raylet_health", "workerGroupSpecs: cpu: a probe asks"),
    (RAYSERVICE, "/api/gcs_healthz, port: 8265", "/api/healthz, port: 8265", "headGroupSpec: a probe asks"),
    (
        RAYSERVICE,
        "tcpSocket: {port: 8888}",
        "httpGet: {path: /readyz, port: 8888}",
        "workerGroupSpecs: cpu: a probe asks port 8888",
    ),
]
METRICS = [
    (
        COMPOSE,
        "--dashboard-host=0.0.0.0 --metrics-export-port=8080",
        "--dashboard-host=0.0.0.0 --metrics-export-port=8081",
        "worker: its metrics are at port 8080",
    ),
    (
        RAY_UP,
        "$RAY_HEAD_IP:6379 --metrics-export-port=8080",
        "$RAY_HEAD_IP:6379",
        "worker_start_ray_commands: its metrics",
    ),
    (RAYSERVICE, 'metrics-export-port: "8080"', 'metrics-export-port: "8081"', "headGroupSpec: the network policy"),
    (
        RAYSERVICE,
        '{metrics-export-port: "8080"}',
        '{metrics-export-port: "8081"}',
        "workerGroupSpecs: cpu: the network",
    ),
    (
        RAYSERVICE,
        "{name: metrics, containerPort: 8080}",
        "{name: metrics, containerPort: 8081}",
        "headGroupSpec: ports: metrics",
    ),
    (
        RAYSERVICE,
        "{name: metrics, containerPort: 8080}",
        "{name: metric, containerPort: 8080}",
        "headGroupSpec: ports: metric is",
    ),
    (RAYSERVICE, "            - {name: metrics, containerPort: 8080}\n", "", "headGroupSpec: ports: Prometheus asks"),
    (
        RAYSERVICE,
        "matchLabels: {app.kubernetes.io/instance: synthgen}",
        "matchLabels: {app.kubernetes.io/instance: synth}",
        "headGroupSpec: no network policy",
    ),
    (
        RAYSERVICE,
        "    - {port: 8080, protocol: TCP}",
        "    - {port: 6379, protocol: TCP}",
        "headGroupSpec: the network",
    ),
    (
        RAYSERVICE,
        "labels: {app.kubernetes.io/instance: synthgen}",
        "labels: {app.kubernetes.io/instance: synth}",
        "headGroupSpec: metadata",
    ),
]
ONE_CLUSTER = [
    (COMPOSE, WORKER, WORKER + "    image: synthgen:0.0.9\n", "differing images: synthgen:0.0.9, synth"),
    (
        RAY_UP,
        "  container_name",
        "  worker_image: registry.example.com/synthgen:0.0.9\n  container_name",
        "differing images",
    ),
    (RAYSERVICE, "synthgen:0.1.0", "synthgen:0.2.0", "differing images"),
    (
        README,
        "image: registry.example.com/synthgen:0.1.0",
        "image: registry.example.com/synthgen:0.2.0",
        "the job synthgen-restore: image: ",
    ),
]
FILES = [
    (SERVE, "runtime.app:app", "runtime.app:ap", "runtime.app:ap leads nowhere"),
    (SERVE, "runtime.app:app", "runtime.ap:app", "import_path: synthgen_ray.runtime.ap:app leads nowhere"),
    (SERVE, "runtime.app:app", "runtime.app:once_there", "runtime.app:once_there makes no"),
    (RAYSERVICE, "runtime.app:app", "runtime.app:Api", "serveConfigV2: import_path: "),
    (RAYSERVICE, "mountPath: /var/lib/synthgen", "mountPath: /var/lib/syngen", "headGroupSpec: volumeMounts: "),
    (RAYSERVICE, "data_dir: /var/lib/synthgen", "data_dir: /var/lib/syngen", "serveConfigV2: data_dir: the image"),
    (SERVE, "data_dir: /var/lib/synthgen", "data_dir: data", "data_dir: the image makes /var/lib/synthgen"),
    (
        RAYSERVICE,
        "volumeMounts: &mounts\n",
        "volumeMounts: &mounts\n            - {name: work, mountPath: /etc/ray/tls}\n",
        "headGroupSpec: volumeMounts: no setting and no variable names what is at /etc/ray/tls",
    ),
    (
        RAYSERVICE,
        "env: &environment\n",
        "env: &environment\n            - {name: RAY_AUTH_TOKEN_PATH, value: /etc/ray/token}\n",
        "headGroupSpec: volumeMounts: /etc/ray/token is on none",
    ),
    (
        COMPOSE,
        "/opt/synthgen/configs/serve/cluster.yaml",
        "/opt/synthgen/configs/cluster.yml",
        "deploy: it deploys /opt/synthgen/configs/cluster.yml, which is neither",
    ),
    (
        COMPOSE,
        "/opt/synthgen/configs/serve/cluster.yaml",
        "/opt/configs/serve/cluster.yaml",
        "deploy: it deploys /opt/configs/serve/cluster.yaml, which is neither",
    ),
    (
        COMPOSE,
        "/etc/prometheus/compose.yml",
        "/etc/prometheus/composed.yml",
        "prometheus: its --config.file=/etc/prometheus/composed.yml is not",
    ),
    (
        COMPOSE,
        "./prometheus:/etc/prometheus:ro",
        "./prometheus:/etc/prom:ro",
        "prometheus: its --config.file=/etc/prometheus/compose.yml is not",
    ),
    (COMPOSE, "serve deploy --address=http://head:8265 /", "true /", "nothing is deployed"),
    (DOCKERFILE, "COPY configs /", "COPY config /", "COPY: there is no config,"),
    (DOCKERFILE, "COPY configs /", "COPY tests /", "COPY: there is no tests, or Docker"),
]
CONFINED = [
    (COMPOSE, WORKER, WORKER + "    privileged: true\n", "worker.privileged"),
    (COMPOSE, "  grafana:\n    <<: *all", "  grafana:\n    <<: *all\n    privileged: true", "grafana.privileged"),
    (COMPOSE, WORKER, WORKER + "    pid: host\n", "worker.pid"),
    (COMPOSE, WORKER, WORKER + "    cap_drop: []\n", "worker: its cap_drop is []"),
    (COMPOSE, "  cap_drop: [ALL]\n", "", "head: its cap_drop is []"),
    (COMPOSE, WORKER, WORKER + "    security_opt: []\n", "worker: its security_opt is []"),
    (COMPOSE, WORKER, WORKER + "    entrypoint: [/usr/bin/env]\n", "worker: its entrypoint is"),
    (COMPOSE, "inside: {internal: true}", "inside: {}", "worker: it publishes no port, and"),
    (RAY_UP, "  - --cap-drop=ALL\n", "", "docker.run_options: --cap-drop=ALL and"),
    (
        RAY_UP,
        "  - --cap-drop=ALL\n",
        "  - --cap-drop=ALL\n  - --privileged\n",
        "docker.run_options: --privileged is none",
    ),
    (
        RAYSERVICE,
        "capabilities: {drop: [ALL]}\n      resources",
        "capabilities: {drop: []}\n      resources",
        "autoscalerOptions.securityContext.capabilities.drop",
    ),
    (RAYSERVICE, "runAsUser: 1000", "runAsUser: 1001", "headGroupSpec: runAsUser: "),
    (DOCKERFILE, "USER synthgen", "USER 0:0", "USER 0:0: "),
    (DOCKERFILE, "USER synthgen", "USER synthgen\nUSER root:root", "USER root:root: "),
    (DOCKERFILE, "USER synthgen", "USER synthgen:root", "USER synthgen:root: "),
    (DOCKERFILE, "USER synthgen", "USER nobody", "USER nobody: "),
    (DOCKERFILE, "--uid 1000 synthgen", "--uid 0 synthgen", "USER synthgen: "),
    (DOCKERFILE, "--mode=0700 ", "", "RUN: of SYNTHGEN_DATA_DIR"),
    (DOCKERFILE, "--mode=0700 ", "--mode=0755 ", "RUN: of SYNTHGEN_DATA_DIR"),
    (DOCKERFILE, "USER synthgen", "RUN chmod 0755 /var/lib/synthgen\nUSER synthgen", "RUN: of SYNTHGEN_DATA_DIR"),
    (
        DOCKERFILE,
        "SYNTHGEN_DATA_DIR=/var/lib/synthgen",
        "SYNTHGEN_DATA_DIR=/var/lib/syngen",
        "RUN: of SYNTHGEN_DATA_DIR",
    ),
    (DOCKERFILE, "umask 077 && ", "", "ENTRYPOINT: its umask is 0022"),
    (DOCKERFILE, "umask 077", "umask 027", "ENTRYPOINT: its umask is 0027"),
    (DOCKERFILE, 'ENTRYPOINT ["/bin/sh"', 'ENTRYPOINT ["/bin/shell"', "ENTRYPOINT: it runs nothing"),
    (DOCKERFILE, "ENTRYPOINT [", "# ENTRYPOINT [", "ENTRYPOINT: its umask is 0022"),
]
RUNBOOK = [
    (README, "<<'END'", "<<END", "it has no job that restores a backup"),
    (README, "apiVersion: batch/v1", "apiVersion: batch/v2", "it.Job.apiVersion"),
    (
        README,
        "envFrom: [{secretRef: {name: synthgen}}]",
        "envFrom: [{secretRef: {name: syngen}}]",
        "synthgen-restore: envFrom: ",
    ),
    (README, "secretKeyRef: {name: synthgen,", "secretKeyRef: {name: synthgen-db,", "the job synthgen-restore: env: "),
    (
        README,
        '"s3://synthgen/artifacts?region=eu-west-1"',
        '"s3://synthgen/files?region=eu-west-1"',
        "the job synthgen-restore: env: ",
    ),
    (
        README,
        '        - {name: SYNTHGEN_ARTIFACTS_URL, value: "s3://synthgen/artifacts?region=eu-west-1"}\n',
        "",
        "the job synthgen-restore: env: without SYNTHGEN_ARTIFACTS_URL",
    ),
    (README, "[synthgen, restore, ", "[synthgen, backup, ", "the job synthgen-restore: args: "),
    (README, "runAsUser: 1000", "runAsUser: 1001", "the job synthgen-restore: runAsUser: "),
    (
        README,
        "kubectl logs job/synthgen-restore",
        "kubectl logs job/synthgen-restored",
        "its commands are about the jobs",
    ),
    (README, "generic synthgen-redis", "generic syngen-redis", "it makes the secrets"),
]


@pytest.mark.parametrize(
    ("file", "right", "wrong", "says"),
    [*VALUES, *TOKEN, *OPTIONS, *REACHED, *PROBES, *METRICS, *ONE_CLUSTER, *FILES, *CONFINED, *RUNBOOK],
)
def test_a_slip_is_found_and_its_place_told(file, right, wrong, says):
    refuses(file, right, wrong, says)


def test_metrics_that_all_nodes_have_elsewhere_than_prometheus_looks_are_found():
    refuses(COMPOSE, "metrics-export-port=8080", "metrics-export-port=8081", "prometheus: Prometheus asks", times=2)
