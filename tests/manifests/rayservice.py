"""rayservice.yaml, and what the runbook gives Kubernetes beside it."""

import re
import shlex
from pathlib import PurePosixPath

import yaml
from pydantic import ValidationError

from tests.manifests import kubernetes
from tests.manifests.image import ROOT, the_image
from tests.manifests.kubernetes import Manifest, NetworkPolicySpec, PodTemplate, RayServiceSpec
from tests.manifests.nodes import Container, check_cluster, check_probe, listens
from tests.manifests.programs import calls
from tests.manifests.serving import check_serve_config
from tests.manifests.unsound import Unsound, within

CLUSTER = ROOT / "cluster"
HEAD = "the-head"
# What KubeRay starts Ray with where `rayStartParams` say nothing of it.
OF_ALL = {"metrics-export-port": "8080", "dashboard-agent-listen-port": "52365"}
OF_HEAD = {"dashboard-host": "0.0.0.0"}
# By which a server finds what was restored.
STORES = {"SYNTHGEN_DATABASE_URL", "SYNTHGEN_ARTIFACTS_URL"}


def check_rayservice(text: str) -> None:
    manifests = _read(text)
    policies = [manifest.spec for manifest in manifests if manifest.kind == "NetworkPolicy"]
    for manifest in manifests:
        if manifest.kind == "RayService":
            with within("serveConfigV2"):
                check_serve_config(manifest.spec.serve_config)
            _check_groups(manifest.spec, policies)


def _read(text: str) -> list[kubernetes.RayService | kubernetes.NetworkPolicy | kubernetes.Job]:
    try:
        return [Manifest.model_validate({"it": document}).it for document in yaml.safe_load_all(text)]
    except ValidationError as error:
        raise Unsound(str(error)) from error


def _check_groups(spec: RayServiceSpec, policies: list[NetworkPolicySpec]) -> None:
    served = yaml.safe_load(spec.serve_config)
    folders = [application["args"]["data_dir"] for application in served["applications"]]
    cluster = spec.ray_cluster_config
    port = cluster.head_group_spec.ray_start_params.get("port", "6379")
    containers = []
    for place, group in spec.groups():
        is_head = group is cluster.head_group_spec
        with within(place):
            parameters = {**OF_ALL, **(OF_HEAD if is_head else {"address": f"{HEAD}:{port}"}), **group.ray_start_params}
            options = [f"--{name}={value}" for name, value in parameters.items()]
            called = list(calls(shlex.join(["ray", "start", *(["--head"] if is_head else []), *options])))
            there = {**listens(called[0].options), "serve": served["http_options"]["port"]}
            _check_pod(group.template, there, policies)
            for container in group.template.spec.containers:
                _check_ports(container, there)
                _check_mounts(container, folders)
                containers.append(Container(place, container.image, container.environment, called))
    check_cluster(containers, head_names=[HEAD])


def _check_pod(pod: PodTemplate, there: dict[str, int], policies: list[NetworkPolicySpec]) -> None:
    if pod.spec.security_context.run_as_user != the_image().uid:
        raise Unsound(f"runAsUser: in the image all folders are those of the user {the_image().uid}")
    labels = pod.metadata.labels
    wanted, _ = _asked_by_prometheus()
    if not wanted.items() <= labels.items():
        raise Unsound(f"metadata: Prometheus asks pods that are labelled {wanted}")
    entered = [
        port.port
        for policy in policies
        if policy.pod_selector.match_labels.items() <= labels.items()
        for rule in policy.ingress
        for port in rule.ports
    ]
    if not entered:
        raise Unsound("no network policy says who may enter a pod")
    if set(entered) != (ours := {there["serve"], there["metrics"]}):
        raise Unsound(f"the network policy opens {entered}; the API and the metrics are at {sorted(ours)}")


def _check_ports(container: kubernetes.NodeContainer, there: dict[str, int]) -> None:
    ports = {port.name: port.container_port for port in container.ports}
    for name, port in ports.items():
        if there.get(name) != port:
            raise Unsound(f"ports: {name} is {port}, and what listens there is at {there.get(name, 'none')}")
    _, scraped = _asked_by_prometheus()
    if ports.get(scraped) != there["metrics"]:
        raise Unsound(
            f"ports: Prometheus asks the port that is called {scraped}, and it has none at {there['metrics']}"
        )
    for probe in (container.liveness_probe, container.readiness_probe):
        asked = probe.http_get or probe.tcp_socket
        if asked and asked.port not in {*ports.values(), there["agent"]}:
            raise Unsound(f"nothing of it listens on the port {asked.port} that a probe asks")
        if probe.http_get:
            check_probe(probe.http_get.port, probe.http_get.path)


def _check_mounts(container: kubernetes.NodeContainer, folders: list[str]) -> None:
    """That what it keeps is on a volume, and that each volume is for something."""
    named = [*folders, *(value for value in container.environment.values() if value and value.startswith("/"))]
    mounts = [mount.mount_path for mount in container.volume_mounts]
    for path in named:
        if not any(PurePosixPath(path).is_relative_to(mount) for mount in mounts):
            raise Unsound(f"volumeMounts: {path} is on none of its volumes, which are at {', '.join(mounts)}")
    for mount in mounts:
        if not any(PurePosixPath(path).is_relative_to(mount) for path in named):
            raise Unsound(f"volumeMounts: no setting and no variable names what is at {mount}")


def _asked_by_prometheus() -> tuple[dict[str, str], str]:
    """Labels of the pods, but for those that KubeRay gives them, and the name of their port."""
    (job,) = yaml.safe_load((CLUSTER / "prometheus/kubernetes.yml").read_text())["scrape_configs"]
    ((selector,),) = (found["selectors"] for found in job["kubernetes_sd_configs"])
    labels = dict(pair.split("=") for pair in selector["label"].split(","))
    (port,) = (
        rule["regex"]
        for rule in job["relabel_configs"]
        if rule["source_labels"] == ["__meta_kubernetes_pod_container_port_name"]
    )
    return {name: value for name, value in labels.items() if not name.startswith("ray.io/")}, port


def check_runbook(text: str) -> None:
    """That its secrets are those that rayservice.yaml names, and that its jobs are what a node of that is."""
    (spec,) = (one.spec for one in _read((CLUSTER / "rayservice.yaml").read_text()) if one.kind == "RayService")
    made = set(re.findall(r"^kubectl create secret generic (\S+)", text, re.MULTILINE))
    if made != spec.secrets():
        raise Unsound(f"it makes the secrets {sorted(made)}, and rayservice.yaml names {sorted(spec.secrets())}")
    documents = re.findall(r"^kubectl create --filename - <<'(\w+)'\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)
    jobs = [manifest for _, document in documents for manifest in _read(document) if manifest.kind == "Job"]
    if not jobs:
        raise Unsound("it has no job that restores a backup")
    for job in jobs:
        with within(f"the job {job.metadata.name}"):
            _check_job(job, spec.ray_cluster_config.head_group_spec.template.spec)
    named = set(re.findall(r"\bkubectl [^`\n]*?\bjob[ /]([\w-]+)", text))
    if named != (there := {job.metadata.name for job in jobs}):
        raise Unsound(f"its commands are about the jobs {named}, and it makes {there}")


def _check_job(job: kubernetes.Job, node: kubernetes.PodSpec) -> None:
    pod = job.spec.template.spec
    if pod.security_context.run_as_user != node.security_context.run_as_user:
        raise Unsound(f"runAsUser: a node's is {node.security_context.run_as_user}")
    (container,), beside = pod.containers, node.containers[0]
    if container.image != beside.image:
        raise Unsound(f"image: a node's is {beside.image}")
    if container.env_from != beside.env_from:
        raise Unsound(f"envFrom: a node's is {[one.secret_ref.name for one in beside.env_from]}")
    for variable in container.env:
        if variable not in beside.env:
            raise Unsound(f"env: {variable.name} is another than a node's")
    if missing := STORES - container.environment.keys():
        raise Unsound(f"env: without {missing.pop()} what it restores is elsewhere than the nodes look")
    if [call.command for call in calls(shlex.join(container.args))] != ["synthgen restore"]:
        raise Unsound(f"args: {shlex.join(container.args)} is no `synthgen restore`")
