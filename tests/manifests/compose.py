"""compose.yaml: against its schema, and what its services need of each other, of the image and of Prometheus."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import compose_spec
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from tests.manifests.image import ROOT, file_of, the_image
from tests.manifests.nodes import OPEN, Container, check_cluster, check_image, check_probe, listens
from tests.manifests.programs import calls, script_of
from tests.manifests.unsound import Unsound, within

CLUSTER = ROOT / "cluster"
# What keeps a container of ours to itself. The umask is the image's ENTRYPOINT's.
CONFINED = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "entrypoint": []}
# Host, port and path of a call.
CALLED = re.compile(r"(?:(?:https?|postgresql)://(?:[^/@\s]*@)?|=(?=[\w.-]+:\d))([\w.-]+)(?::(\d+))?(/[\w/-]*)?")


class Service(BaseModel):
    """The fields that we use. Any other, such as `privileged`, might open a container."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: str
    entrypoint: list[str] = []
    command: list[str] = []
    environment: dict[str, str] = {}
    networks: list[str] | dict[str, dict[Literal["aliases"], list[str]]]
    ports: list[str] = []
    volumes: list[str] = []
    depends_on: dict[str, Any] = {}
    healthcheck: dict[str, Any] = {}
    cap_drop: list[str] = []
    security_opt: list[str] = []
    build: Any = None
    deploy: Any = None
    init: Any = None
    logging: Any = None
    pull_policy: Any = None
    restart: Any = None
    shm_size: Any = None
    stop_grace_period: Any = None
    ulimits: Any = None

    @property
    def script(self) -> str:
        return script_of([*self.entrypoint, *self.command])

    @property
    def aliases(self) -> set[str]:
        named = self.networks.values() if isinstance(self.networks, dict) else ()
        return {alias for network in named for alias in network.get("aliases", ())}

    @property
    def mounts(self) -> dict[str, str]:
        """What it has of this folder, by where."""
        parts = [volume.split(":") for volume in self.volumes]
        return {there: f"cluster/{source}" for source, there, *_ in parts if source.startswith(".")}

    def called(self) -> Iterator[tuple[str, int | None, str | None]]:
        for words in ([self.script], self.environment.values(), self.healthcheck.get("test", ())):
            for host, port, path in CALLED.findall("\n".join(words)):
                yield host, int(port) if port else None, path or None


def check_compose(text: str) -> None:
    unset = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)  # as where nothing is set
    given = yaml.safe_load(unset)
    try:
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(given))
        # Any secret is letters and digits, as compose.env.example says; of a $ Docker makes none.
        started = yaml.safe_load(re.sub(r"\$\{\w+:[^}]*\}", "lettersAndDigits", unset).replace("$$", "$"))
        services = TypeAdapter(dict[str, Service]).validate_python(started["services"])
    except ValueError as error:
        raise Unsound(str(error)) from error
    example = re.findall(r"^(\w+)=", (CLUSTER / "compose.env.example").read_text(), re.MULTILINE)
    if missing := set(re.findall(r"\$\{(\w+)", text)) - set(example):
        raise Unsound(f"{missing.pop()} is not in compose.env.example")
    for name, service in services.items():
        with within(name):
            check_image(service.image)
            _check_service(service, given)
    _check_nodes(services)


def _check_service(service: Service, given: Mapping[str, Any]) -> None:
    for kind, named in (("networks", service.networks), ("services", service.depends_on)):
        if missing := set(named) - set(given[kind]):
            raise Unsound(f"there is no {missing.pop()} among the {kind}")
    for port in service.ports:
        if not port.startswith("127.0.0.1:"):
            raise Unsound(f"the port {port} is not on loopback")
    leads_out = [name for name in service.networks if not (given["networks"][name] or {}).get("internal")]
    if leads_out and not service.ports:
        raise Unsound(f"it publishes no port, and need not be on the network {leads_out[0]}, which is not internal")
    for volume in service.volumes:
        source = volume.partition(":")[0]
        is_there = (CLUSTER / source).exists() if source.startswith(".") else source in given["volumes"]
        if not is_there:
            raise Unsound(f"there is no {source} to mount")


def _check_nodes(services: Mapping[str, Service]) -> None:
    """Of those that run Ray or what speaks to it, and of who calls them."""
    ours: list[Container] = []
    for name, service in services.items():
        with within(name):
            container = Container(name, service.image, service.environment, list(calls(service.script)))
            if container.calls:
                ours.append(container)
                for field, value in CONFINED.items():
                    if getattr(service, field) != value:
                        raise Unsound(f"its {field} is {getattr(service, field)}, not {value}")
    nodes = {container.place: container.node for container in ours if container.node is not None}
    heads = {name for name, options in nodes.items() if options["head"]}
    check_cluster(ours, head_names={alias for name in heads for alias in (name, *services[name].aliases)})
    called = {alias: name for name, service in services.items() for alias in (name, *service.aliases)}
    served = _served(services, ours)
    for name, service in services.items():
        with within(name):
            for host, port, path in service.called():
                target = name if host == "127.0.0.1" else called.get(host)
                if target is None:
                    raise Unsound(f"it calls {host}, which is no service")
                if port and target in nodes and port not in {served, *listens(nodes[target]).values()}:
                    raise Unsound(f"it calls {host}:{port}, where nothing listens")
                if port and port in OPEN and path:
                    check_probe(port, path)
            if name in nodes:
                for published in service.ports:
                    if int(published.rpartition(":")[2]) not in {served, *listens(nodes[name]).values()}:
                        raise Unsound(f"it publishes {published}, where nothing listens")
            _check_scraped(service, nodes)


def _served(services: Mapping[str, Service], ours: list[Container]) -> int:
    """On which port, by the file that is deployed."""
    image = the_image()
    for container in ours:
        for call in container.calls:
            if call.command == "serve deploy":
                path = call.options["config_or_import_path"]
                file = file_of(path, {**image.copies, **services[container.place].mounts})
                if file is None:
                    raise Unsound(f"{container.place}: it deploys {path}, which is neither in the image nor mounted")
                port: int = yaml.safe_load(file.read_text())["http_options"]["port"]
                return port
    raise Unsound("nothing is deployed")


def _check_scraped(service: Service, nodes: Mapping[str, Mapping[str, Any]]) -> None:
    """That Prometheus, where this is one, asks each node where its metrics are."""
    for path in re.findall(r"--config\.file=(\S+)", service.script):
        file = file_of(path, service.mounts)
        if file is None:
            raise Unsound(f"its --config.file={path} is not in what it mounts")
        asked = {
            (name, found["port"])
            for job in yaml.safe_load(file.read_text())["scrape_configs"]
            for found in job["dns_sd_configs"]
            for name in found["names"]
        }
        there = {(name, options["metrics_export_port"]) for name, options in nodes.items()}
        if asked != there:
            raise Unsound(f"Prometheus asks {sorted(asked)} by {file.name}, and metrics are at {sorted(there)}")
