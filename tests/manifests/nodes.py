"""What holds of the containers of a cluster, whoever starts them: compose, KubeRay or `ray up`."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from ray._common.network_utils import is_localhost
from ray._private.ray_constants import DEFAULT_DASHBOARD_AGENT_LISTEN_PORT, DEFAULT_DASHBOARD_PORT, DEFAULT_PORT
from ray.dashboard.http_server_agent import PUBLIC_EXACT_PATHS

from synthgen_ray.settings import Settings
from tests.manifests.programs import Call
from tests.manifests.unsound import Unsound, within

# What Ray answers without its token, which no probe has. The dashboard leaves more open, and has nothing there.
OPEN: Mapping[int, Collection[str]] = {
    DEFAULT_DASHBOARD_AGENT_LISTEN_PORT: PUBLIC_EXACT_PATHS,
    DEFAULT_DASHBOARD_PORT: ["/api/gcs_healthz"],
}


@dataclass(frozen=True)
class Container:
    """One of our image."""

    place: str
    image: str
    environment: Mapping[str, str | None]  # None: what a secret has
    calls: Sequence[Call]

    @property
    def node(self) -> Mapping[str, Any] | None:
        """With which options it starts Ray, if it does."""
        return next((call.options for call in self.calls if call.command == "ray start"), None)


def check_cluster(
    containers: Iterable[Container], *, head_names: Collection[str], on_network_of_machine: bool = False
) -> None:
    """`head_names`: those by which its workers can call it."""
    containers = list(containers)
    images = {container.image for container in containers}
    if len(images) > 1:
        raise Unsound(f"its containers have differing images: {', '.join(sorted(images))}")
    check_image(images.pop())
    for container in containers:
        with within(container.place):
            check_environment(container.environment)
            if container.environment.get("RAY_AUTH_MODE") != "token":
                raise Unsound("without RAY_AUTH_MODE=token Ray asks nobody for its token")
    nodes = [(container.place, container.node) for container in containers if container.node is not None]
    heads = [options for _, options in nodes if options["head"]]
    if len(heads) != 1:
        raise Unsound(f"{len(heads)} containers start a head")
    for place, options in nodes:
        with within(place):
            if options["head"]:
                _check_dashboard(options["dashboard_host"], on_network_of_machine)
            elif options["address"] not in [f"{name}:{listens(heads[0])['gcs-server']}" for name in head_names]:
                raise Unsound(f"its --address={options['address']} is not that of the head")
            if (
                options["metrics_export_port"] is None
                or options["metrics_export_port"] != heads[0]["metrics_export_port"]
            ):
                raise Unsound(f"its metrics are at port {options['metrics_export_port']}, not where the head has them")


def listens(options: Mapping[str, Any]) -> dict[str, int]:
    """On which ports a node of Ray does that was started so, as rayservice.yaml calls them, and the agent's."""
    everywhere = {"agent": options["dashboard_agent_listen_port"], "metrics": options["metrics_export_port"]}
    if not options["head"]:
        return everywhere
    return {**everywhere, "gcs-server": options["port"] or DEFAULT_PORT, "dashboard": options["dashboard_port"]}


def _check_dashboard(host: str, on_network_of_machine: bool) -> None:
    if on_network_of_machine and not is_localhost(host):
        raise Unsound(f"its dashboard is at {host}, which is open to whoever reaches the machine")
    if not on_network_of_machine and is_localhost(host):
        raise Unsound(f"its dashboard is at {host}, where nobody outside of its container reaches it")


def check_probe(port: int, path: str) -> None:
    if path not in OPEN.get(port, ()):
        raise Unsound(f"a probe asks port {port} for {path}, which nothing there answers without Ray's token")


def check_environment(environment: Mapping[str, str | None]) -> None:
    """That a server starts with it."""
    for name, value in environment.items():
        if name.startswith("SYNTHGEN_") and value is not None:
            given: Any = value
            for key in reversed(name.removeprefix("SYNTHGEN_").lower().split("__")):
                given = {key: given}
            try:
                Settings.model_validate(given)
            except ValidationError as error:
                raise Unsound(f"{name}: {error.errors()[0]['msg']}") from error


def check_image(image: str) -> None:
    if not re.fullmatch(r"[a-z0-9./_-]+:[A-Za-z0-9._-]*[0-9][A-Za-z0-9._-]*(@sha256:[0-9a-f]{64})?", image):
        raise Unsound(f"the image {image!r} is not pinned to a version")
