"""The fields of a RayService, a NetworkPolicy and their pods that we use: any other is taken for a typo."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from ray.scripts.scripts import start

START_OPTIONS = {option for parameter in start.params for option in parameter.opts}
RAYS_AGENT = 52365  # a port of each node that no container need name
DASHBOARD = 8265
OPERATOR = {"app.kubernetes.io/component": "kuberay-operator"}  # as its chart calls it, in a namespace of its own
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|Ki|Mi|Gi|Ti)?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Labels = dict[str, str]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, strict=True)


class Metadata(Strict):
    name: str | None = None
    labels: Labels = {}


class Resources(Strict):
    requests: dict[str, Quantity]
    limits: dict[str, Quantity]


class KeyRef(Strict):
    name: str
    key: str


class ValueFrom(Strict):
    secret_key_ref: KeyRef


class EnvVar(Strict):
    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class SecretRef(Strict):
    name: str


class EnvFrom(Strict):
    secret_ref: SecretRef


class ContainerPort(Strict):
    name: str = Field(max_length=15)
    container_port: Port


class TcpSocket(Strict):
    port: Port


class HttpGet(Strict):
    path: str
    port: Port


class Probe(Strict):
    tcp_socket: TcpSocket | None = None
    http_get: HttpGet | None = None
    initial_delay_seconds: int
    period_seconds: int
    timeout_seconds: int = 1
    failure_threshold: int

    @model_validator(mode="after")
    def _asks_in_one_way(self) -> Self:
        if (self.tcp_socket is None) == (self.http_get is None):
            raise ValueError("a probe asks in one way")
        return self


class Capabilities(Strict):
    drop: list[Literal["ALL"]]


class ContainerSecurity(Strict):
    allow_privilege_escalation: Literal[False]
    capabilities: Capabilities


class VolumeMount(Strict):
    name: str
    mount_path: str


class Container(Strict):
    name: str
    image: str
    security_context: ContainerSecurity
    env_from: list[EnvFrom]
    env: list[EnvVar]
    ports: list[ContainerPort]
    liveness_probe: Probe
    readiness_probe: Probe
    resources: Resources
    volume_mounts: list[VolumeMount]

    @model_validator(mode="after")
    def _has_the_ports_that_are_probed(self) -> Self:
        ports = {RAYS_AGENT, *(port.container_port for port in self.ports)}
        for probe in (self.liveness_probe, self.readiness_probe):
            asked = probe.http_get or probe.tcp_socket
            if asked and asked.port not in ports:
                raise ValueError(f"nothing of it listens on the port {asked.port} that a probe asks")
        return self


class Seccomp(Strict):
    type: Literal["RuntimeDefault"]


class PodSecurity(Strict):
    run_as_non_root: Literal[True]
    run_as_user: int = Field(ge=1)
    fs_group: int
    seccomp_profile: Seccomp


class EmptyDir(Strict):
    size_limit: Quantity


class Volume(Strict):
    name: str
    empty_dir: EmptyDir


class Toleration(Strict):
    key: str
    operator: Literal["Exists"]
    effect: Literal["NoSchedule"]


class PodSpec(Strict):
    termination_grace_period_seconds: int = Field(ge=60)
    enable_service_links: Literal[False]
    automount_service_account_token: bool
    security_context: PodSecurity
    tolerations: list[Toleration] = []
    containers: list[Container]
    volumes: list[Volume]

    @model_validator(mode="after")
    def _has_what_it_mounts(self) -> Self:
        there = {volume.name for volume in self.volumes}
        if {mount.name for container in self.containers for mount in container.volume_mounts} - there:
            raise ValueError("it mounts a volume that it does not have")
        return self


class PodTemplate(Strict):
    metadata: Metadata
    spec: PodSpec


class HeadGroup(Strict):
    ray_start_params: dict[str, str]
    template: PodTemplate

    @model_validator(mode="after")
    def _is_started_with_options_that_ray_has(self) -> Self:
        if unknown := {f"--{name}" for name in self.ray_start_params} - START_OPTIONS:
            raise ValueError(f"`ray start` has no option {unknown.pop()}")
        return self

    @model_validator(mode="after")
    def _is_found_by_the_services_of_kuberay(self) -> Self:
        ports = {
            port.name: port.container_port for container in self.template.spec.containers for port in container.ports
        }
        if "serve" not in ports:
            raise ValueError("KubeRay makes its service for clients of the head's port `serve`, for pods that have it")
        if "app.kubernetes.io/name" in self.template.metadata.labels:
            raise ValueError("app.kubernetes.io/name is KubeRay's, whose services select pods by it")
        return self


class WorkerGroup(HeadGroup):
    group_name: str
    labels: Labels = {}
    replicas: int = Field(ge=0)
    min_replicas: int = Field(ge=0)
    max_replicas: int

    @model_validator(mode="after")
    def _is_within_its_bounds(self) -> Self:
        if not self.min_replicas <= self.replicas <= self.max_replicas:
            raise ValueError("minReplicas ≤ replicas ≤ maxReplicas")
        return self


class AutoscalerOptions(Strict):
    version: Literal["v2"]
    idle_timeout_seconds: int
    security_context: ContainerSecurity
    resources: Resources


class AuthOptions(Strict):
    mode: Literal["token"]
    secret_name: str


class Selector(Strict):
    match_labels: Labels


class Peer(Strict):
    pod_selector: Selector
    namespace_selector: dict[str, Labels] | None = None


class PolicyPort(Strict):
    port: Port
    protocol: Literal["TCP"]


class IngressRule(Strict):
    from_: list[Peer] = Field(alias="from")
    ports: list[PolicyPort]


class HeadRules(Strict):
    ingress_rules: list[IngressRule]


class ClusterNetworkPolicy(Strict):
    mode: Literal["DenyAllIngress"]
    head: HeadRules

    @model_validator(mode="after")
    def _lets_the_operator_deploy(self) -> Self:
        for rule in self.head.ingress_rules:
            let_in = [peer.pod_selector.match_labels for peer in rule.from_ if peer.namespace_selector is not None]
            if OPERATOR in let_in and DASHBOARD in [port.port for port in rule.ports]:
                return self
        raise ValueError("KubeRay's operator deploys by the head's dashboard, and is not let in")


class RedisPassword(Strict):
    value_from: ValueFrom


class GcsFaultTolerance(Strict):
    redis_address: str
    redis_password: RedisPassword


class RayCluster(Strict):
    ray_version: str
    enable_in_tree_autoscaling: Literal[True]
    autoscaler_options: AutoscalerOptions
    auth_options: AuthOptions
    network_policy: ClusterNetworkPolicy
    gcs_fault_tolerance_options: GcsFaultTolerance
    head_group_spec: HeadGroup
    worker_group_specs: list[WorkerGroup]


class UpgradeStrategy(Strict):
    type: Literal["NewCluster"]


class RayServiceSpec(Strict):
    upgrade_strategy: UpgradeStrategy
    ray_cluster_deletion_delay_seconds: int
    exclude_head_pod_from_serve_svc: bool
    serve_config: str = Field(alias="serveConfigV2")
    ray_cluster_config: RayCluster

    def pods(self) -> Iterator[PodTemplate]:
        cluster = self.ray_cluster_config
        for group in (cluster.head_group_spec, *cluster.worker_group_specs):
            yield group.template


class RayService(Strict):
    api_version: Literal["ray.io/v1"]
    kind: Literal["RayService"]
    metadata: Metadata
    spec: RayServiceSpec


class NetworkPolicySpec(Strict):
    pod_selector: Selector
    policy_types: list[Literal["Ingress"]]
    ingress: list[IngressRule]


class NetworkPolicy(Strict):
    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["NetworkPolicy"]
    metadata: Metadata
    spec: NetworkPolicySpec


class Manifest(Strict):
    it: RayService | NetworkPolicy = Field(discriminator="kind")
