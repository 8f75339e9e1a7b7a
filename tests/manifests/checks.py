"""The check of each file, by its path."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import compose_spec
import yaml
from jsonschema.exceptions import ValidationError as SchemaError
from pydantic import SecretStr, ValidationError
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.serve.schema import ServeDeploySchema

from synthgen_ray.runtime.environment import DEFAULTS
from synthgen_ray.settings import Settings
from tests.manifests.kubernetes import START_OPTIONS, Manifest, NetworkPolicySpec, PodTemplate

CLUSTER = Path(__file__).parents[2] / "cluster"
SECRETS = {name for name, field in Settings.model_fields.items() if field.annotation == SecretStr | None}


class Unsound(Exception):
    """What is wrong with a file."""


def check_serve_config(text: str) -> None:
    """Also that it opens no address that the settings do not allow, and that all its `args` are settings, none a
    secret: the dashboard shows them."""
    given = yaml.safe_load(text)
    try:
        known = ServeDeploySchema.model_validate(given).model_dump(mode="json", exclude_unset=True)
        settings = [Settings.model_validate(one["args"]) for one in given["applications"]]
    except ValidationError as error:
        raise Unsound(str(error)) from error
    if unknown := list(unknown_keys(given, known)):  # Serve takes no notice of them
        raise Unsound(f"Serve does not know {', '.join(unknown)}")
    for application, one in zip(given["applications"], settings, strict=True):
        if secrets := SECRETS & application["args"].keys():
            raise Unsound(f"{secrets.pop()} is a secret: it belongs into the environment of the nodes")
        options = given["http_options"]
        if (one.host, one.port) != (options["host"], options["port"]):
            raise Unsound("http_options and args name different addresses")


def check_compose(text: str) -> None:
    given = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))  # as where nothing is set
    try:
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(given))
    except ValueError as error:
        raise Unsound(str(error)) from error
    example = re.findall(r"^(\w+)=", (CLUSTER / "compose.env.example").read_text(), re.MULTILINE)
    if unset := set(re.findall(r"\$\{(\w+)", text)) - set(example):
        raise Unsound(f"{unset.pop()} is not in compose.env.example")
    for name, service in given["services"].items():
        for kind in ("networks", "depends_on"):
            there = given["services" if kind == "depends_on" else kind]
            if missing := set(service.get(kind, ())) - set(there):
                raise Unsound(f"{name}: there is no {missing.pop()} among the {kind}")
        for port in service.get("ports", ()):
            if not str(port).startswith("127.0.0.1:"):
                raise Unsound(f"{name}: the port {port} is not on loopback")
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            is_there = (CLUSTER / source).exists() if source.startswith(".") else source in given["volumes"]
            if not is_there:
                raise Unsound(f"{name}: there is no {source} to mount")
        check_ray_start(" ".join(service.get("command", [])))
        check_image(service.get("image", ""))


def check_ray_up(text: str) -> None:
    given = yaml.safe_load(text)
    try:
        validate_config(prepare_config(given))
    except (SchemaError, AssertionError, ValueError) as error:
        raise Unsound(str(error)) from error
    for command in given["head_start_ray_commands"] + given["worker_start_ray_commands"]:
        check_ray_start(command)
    check_image(given["docker"]["image"])


def check_ray_start(command: str) -> None:
    """That Ray has the options which it is started with here, if it is."""
    options = re.findall(r"(?<=\s)--[a-z-]+", command.partition("ray start")[2])
    if unknown := set(options) - START_OPTIONS:
        raise Unsound(f"`ray start` has no option {unknown.pop()}")


def check_rayservice(text: str) -> None:
    try:
        manifests = [Manifest.model_validate({"it": document}).it for document in yaml.safe_load_all(text)]
    except ValidationError as error:
        raise Unsound(str(error)) from error
    policies = [manifest.spec for manifest in manifests if manifest.kind == "NetworkPolicy"]
    for manifest in manifests:
        if manifest.kind == "RayService":
            check_serve_config(manifest.spec.serve_config)
            served = yaml.safe_load(manifest.spec.serve_config)["http_options"]["port"]
            for pod in manifest.spec.pods():
                _check_pod(pod, served, policies)


def _check_pod(pod: PodTemplate, served: int, policies: list[NetworkPolicySpec]) -> None:
    for container in pod.spec.containers:
        check_image(container.image)
        ports = {port.name: port.container_port for port in container.ports}
        if ports["serve"] != served:
            raise Unsound(f"Serve listens on {served}, and the port `serve` is {ports['serve']}")
        entered = {port.port for policy in policies for rule in policy.ingress for port in rule.ports}
        if closed := entered - set(ports.values()):
            raise Unsound(f"{container.name} has no port {closed.pop()} for the network policy to open")
    if not any(policy.pod_selector.match_labels.items() <= pod.metadata.labels.items() for policy in policies):
        raise Unsound("no network policy says who may enter a pod")


def check_dockerfile(text: str) -> None:
    """Pinned, not root, nothing from anywhere but the registries, and what `synthgen up` sets for Ray."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            check_image(rest.split()[0])
        if word == "ADD" or re.search(r"\b(curl|wget|git clone)\b", line):
            raise Unsound(f"it fetches from outside the registries: {line}")
    for name, value in DEFAULTS.items():
        if f"{name}={value}" not in text.split():
            raise Unsound(f"it does not set {name} to {value}, as `synthgen up` does")
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    if not users or users[-1] in ("root", "0"):
        raise Unsound("it runs as root")


def check_image(image: str) -> None:
    if not re.fullmatch(r"[a-z0-9./_-]+:[A-Za-z0-9._-]*[0-9][A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?", image):
        raise Unsound(f"the image {image!r} is not pinned to a version")


def unknown_keys(given: Any, known: Any, path: str = "") -> Iterator[str]:
    """Those of a document that are not in what a schema made of it."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for key, value in given.items():
            if key not in known:
                yield f"{path}{key}"
            elif key != "args":  # any, as far as Serve knows
                yield from unknown_keys(value, known[key], f"{path}{key}.")
    elif isinstance(given, list) and isinstance(known, list):
        for i, (one, its) in enumerate(zip(given, known, strict=True)):
            yield from unknown_keys(one, its, f"{path}{i}.")


CHECKS: Mapping[str, Callable[[str], None]] = {
    "configs/serve/*.yaml": check_serve_config,
    "cluster/compose.yaml": check_compose,
    "cluster/ray-up.yaml": check_ray_up,
    "cluster/rayservice.yaml": check_rayservice,
    "cluster/Dockerfile": check_dockerfile,
}
