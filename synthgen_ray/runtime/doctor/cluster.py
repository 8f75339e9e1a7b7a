"""The Ray cluster under a server: its nodes, and whether each can do our work."""

import sys
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import httpx
import ray
from ray import serve
from ray.exceptions import GetTimeoutError, RayError, RayTaskError
from ray.serve.schema import ApplicationStatus, ServeStatus

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.domain.errors import SynthGenError, told
from synthgen_ray.domain.lifecycle import LEASE
from synthgen_ray.runtime.doctor.disks import Disk, Look, disk_of_node, look_at, of_each_node
from synthgen_ray.runtime.doctor.finding import Finding, fail, ok, warn
from synthgen_ray.runtime.names import APP, DISPATCHER, METADATA, NAMESPACE
from synthgen_ray.runtime.nodes import draining_nodes, is_lost, on_node
from synthgen_ray.settings import Settings

DASHBOARD_S = 10.0
ANSWER_S = 60.0  # a first task starts a process
AGAIN = "synthgen down, then synthgen up; or serve deploy, where that runs the server."
NOTICED_S = 2.0  # of two clocks: the call itself takes a part of it


@dataclass(frozen=True)
class Seen:
    """The artifacts as one node sees them."""

    owner: str | None = None
    away: str = ""  # why it does not see them


@dataclass(frozen=True)
class NodeAnswer:
    at: float  # seconds since the epoch, by its clock
    python: str
    synthgen: str
    artifacts: Seen
    disk: Disk | None  # of uploads, where it has one of its own


@dataclass(frozen=True)
class Asked:
    address: str
    at: float  # seconds since the epoch, by our clock
    answer: Callable[[], NodeAnswer]  # waits for it


def answer(artifacts: Artifacts, disk: Look | None) -> NodeAnswer:
    its = look_at(disk) if disk else None
    return NodeAnswer(time.time(), _python(), version("synthgen-ray"), seen(artifacts), its)


def seen(artifacts: Artifacts) -> Seen:
    try:
        return Seen(artifacts.find_owner())
    except SynthGenError as error:
        return Seen(away=told(error))
    except OSError as error:
        return Seen(away=str(error))


def ray_cluster(address: str, settings: Settings) -> Iterator[Finding]:
    try:
        context = ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, RayError) as error:
        advice = "See that it runs, and that RAY_AUTH_MODE and RAY_AUTH_TOKEN_PATH are those that it was started with."
        yield fail("ray", f"The cluster at {address} cannot be joined: {error}", advice)
        return
    try:
        yield from _dashboard(context.dashboard_url)
        nodes, draining = ray.nodes(), draining_nodes()
        yield from _leaving(nodes, draining)
        at_work = [node for node in nodes if node["Alive"] and node["NodeID"] not in draining]
        if at_work:
            yield from _nodes(at_work, settings)
            yield from _application(partial(_serve_status, [node["NodeID"] for node in at_work]))
        yield from _actors()
    finally:
        ray.shutdown()


def _dashboard(address: str) -> Iterator[Finding]:
    """Whoever may submit Ray jobs runs code on the cluster. Asked as a stranger would."""
    try:
        answered = httpx.get(f"http://{address}/api/jobs/", timeout=DASHBOARD_S, trust_env=False)
    except httpx.HTTPError:
        return  # then nobody on this machine can
    if answered.is_success:
        said = f"Whoever reaches {address} runs code here: this Ray asks for no token."
        yield fail("ray", said, "Start it, on every node, with RAY_AUTH_MODE=token.")


def _leaving(nodes: list[dict[str, Any]], draining: Collection[str]) -> Iterator[Finding]:
    """Of nodes that are not asked, and why."""
    lost = sum(map(is_lost, nodes))
    if lost:
        yield warn("ray", f"{lost} nodes were lost since it started.", "ray list nodes tells which; start others.")
    alive = {node["NodeID"]: node["NodeManagerAddress"] for node in nodes if node["Alive"]}
    for node_id, address in alive.items():
        if node_id in draining:
            yield ok("ray", f"The node {address} is draining: it takes no more work.")
    if alive.keys() <= set(draining):
        yield fail("ray", "None of its nodes takes work.", "Start others: what runs here ends with those that drain.")


def _nodes(nodes: list[dict[str, Any]], settings: Settings) -> Iterator[Finding]:
    artifacts, disk = open_artifacts(settings.artifacts_url, settings.data_dir), of_each_node(settings)
    own_id = ray.get_runtime_context().get_node_id()
    here = next((node["NodeManagerAddress"] for node in nodes if node["NodeID"] == own_id), None)
    asked = []
    for node in nodes:
        address = node["NodeManagerAddress"]
        # The disk of this machine has a check of its own.
        said = on_node(node["NodeID"], answer, artifacts, None if address == here else disk, name="doctor")
        asked.append(Asked(address, time.time(), partial(ray.get, said, timeout=ANSWER_S)))
    findings = _findings(asked, seen(artifacts))
    yield from findings
    if not findings:
        cpus = sum(node["Resources"].get("CPU", 0) for node in nodes)
        yield ok("ray", f"{len(nodes)} nodes with {cpus:g} CPUs do our work, and agree on the time.")


def _serve_status(node_ids: list[str]) -> ServeStatus:
    """By a task, for which nobody need wait: Serve itself waits for its controller for ever. On one of these nodes,
    this one if it may be."""
    here = ray.get_runtime_context().get_node_id()
    where = here if here in node_ids else node_ids[0]
    status: ServeStatus = ray.get(on_node(where, serve.status, name="doctor"), timeout=ANSWER_S)
    return status


def _application(status: Callable[[], ServeStatus]) -> Iterator[Finding]:
    """What is to run on it. Whether it answers is seen from outside."""
    try:
        deployed = status().applications.get(APP)
    except GetTimeoutError:
        advice = "kill -9 the process ray::ServeController on the head: Ray starts another, and clients notice nothing."
        yield fail("ray", f"Serve's controller: no answer in {ANSWER_S:.0f} s.", advice)
        return
    if deployed is None:
        yield fail("ray", f"No application {APP} is deployed on it.", AGAIN)
    elif deployed.status != ApplicationStatus.RUNNING:
        said = f"The application {APP} is {deployed.status.value}: {deployed.message}".rstrip(": ")
        yield fail("ray", said, f"serve status and the logs of its replicas tell more. Then {AGAIN}")


def _actors() -> Iterator[Finding]:
    for name in (METADATA, DISPATCHER):
        try:
            ray.get_actor(name, NAMESPACE)
        except ValueError:
            yield fail("ray", f"There is no actor {name} on it.", AGAIN)


def _findings(asked: list[Asked], here: Seen) -> list[Finding]:
    """Of all nodes at once, in their order: however many are silent, it takes no longer than one."""
    with ThreadPoolExecutor(max(1, len(asked))) as threads:
        found = threads.map(lambda node: list(_node(node, here)), asked)
        return [finding for findings in found for finding in findings]


def _node(asked: Asked, here: Seen) -> Iterator[Finding]:
    address = asked.address
    try:
        said = asked.answer()
    except RayError as error:
        yield _failing(address, error)
        return
    if (said.python, said.synthgen) != (_python(), version("synthgen-ray")):
        has = f"The node {address} has SynthGen {said.synthgen} on Python {said.python}."
        yield fail("ray", has, f"Install SynthGen {version('synthgen-ray')} on Python {_python()} there.")
    # By its clock it answered between when it was asked and now.
    off = max(asked.at - said.at, said.at - time.time())
    if off > NOTICED_S:
        level = fail if off > LEASE.total_seconds() else warn
        yield level("ray", f"The clock of {address} is {off:.0f} s off.", "timedatectl set-ntp true")
    yield from _artifacts(address, said.artifacts, here)
    if said.disk:
        yield from disk_of_node(address, said.disk)


def _failing(address: str, error: RayError) -> Finding:
    """A node whose answer is an error. What it raises itself is that it cannot import what is asked of it."""
    is_silent = isinstance(error, GetTimeoutError)
    reason = f"no answer in {ANSWER_S:.0f} s" if is_silent else str(error).strip().splitlines()[-1]
    advice = "See the memory and the load of its machine, and raylet.out among its Ray's logs."
    if isinstance(error, RayTaskError):
        advice = "Install this version of SynthGen on it."
    return fail("ray", f"The node {address} does not do our work: {reason}", advice)


def _artifacts(address: str, there: Seen, here: Seen) -> Iterator[Finding]:
    if here.away:  # of which the check of the artifacts tells
        return
    if there.away:
        advice = "Start Ray there with the store's credentials in its environment; a disk has to be mounted there."
        yield fail("ray", f"The node {address} does not see the artifacts: {there.away}", advice)
    elif there.owner != here.owner:
        said = f"The node {address} sees other artifacts than this one."
        yield fail("ray", said, "Set artifacts_url to a bucket, or to a folder that all nodes share.")


def _python() -> str:
    return ".".join(map(str, sys.version_info[:2]))
