"""The fields of a RayService, a NetworkPolicy, a Job and their pods that we use: any other is taken for a typo."""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from ray._private.ray_constants import DEFAULT_DASHBOARD_PORT

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
    drop: list[Literal["ALL"]] = Field(min_length=1)


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

    @property
    def environment(self) -> dict[str, str | None]:
        """None is what a secret has."""
        return {variable.name: variable.value for variable in self.env}


class NodeContainer(Container):
    ports: list[ContainerPort]
    liveness_probe: Probe
    readiness_probe: Probe
    resources: Resources
    volume_mounts: list[VolumeMount]


class JobContainer(Container):
    args: list[str]


class Seccomp(Strict):
    type: Literal["RuntimeDefault"]


class PodSecurity(Strict):
    run_as_non_root: Literal[True]
    run_as_user: int = Field(ge=1)
    seccomp_profile: Seccomp


class NodeSecurity(PodSecurity):
    fs_group: int


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
    security_context: NodeSecurity
    tolerations: list[Toleration] = []
    containers: list[NodeContainer]
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
            if OPERATOR in let_in and DEFAULT_DASHBOARD_PORT in [port.port for port in rule.ports]:
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

    def groups(self) -> Iterator[tuple[str, HeadGroup]]:
        """With the place of each."""
        yield "headGroupSpec", self.ray_cluster_config.head_group_spec
        for group in self.ray_cluster_config.worker_group_specs:
            yield f"workerGroupSpecs: {group.group_name}", group

    def secrets(self) -> set[str]:
        """Their names."""
        cluster = self.ray_cluster_config
        named = {cluster.auth_options.secret_name}
        named.add(cluster.gcs_fault_tolerance_options.redis_password.value_from.secret_key_ref.name)
        for _, group in self.groups():
            for container in group.template.spec.containers:
                named |= {source.secret_ref.name for source in container.env_from}
                named |= {variable.value_from.secret_key_ref.name for variable in container.env if variable.value_from}
        return named


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


class JobPodSpec(Strict):
    restart_policy: Literal["Never"]
    enable_service_links: Literal[False]
    security_context: PodSecurity
    containers: list[JobContainer] = Field(min_length=1, max_length=1)


class JobTemplate(Strict):
    spec: JobPodSpec


class JobSpec(Strict):
    backoff_limit: Literal[0]
    template: JobTemplate


class Job(Strict):
    api_version: Literal["batch/v1"]
    kind: Literal["Job"]
    metadata: Metadata
    spec: JobSpec


class Manifest(Strict):
    it: RayService | NetworkPolicy | Job = Field(discriminator="kind")
