"""The Ray cluster under a server: its nodes, and whether each can do our work."""

import sys
import time
from collections.abc import Callable, Iterator
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

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.errors import SynthGenError, told
from synthgen_ray.domain.lifecycle import LEASE
from synthgen_ray.runtime.doctor.finding import Finding, fail, ok, warn
from synthgen_ray.runtime.names import APP, DISPATCHER, METADATA, NAMESPACE
from synthgen_ray.runtime.nodes import is_lost, on_node

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


@dataclass(frozen=True)
class Asked:
    address: str
    at: float  # seconds since the epoch, by our clock
    answer: Callable[[], NodeAnswer]  # waits for it


def answer(artifacts: Artifacts) -> NodeAnswer:
    return NodeAnswer(time.time(), _python(), version("synthgen-ray"), seen(artifacts))


def seen(artifacts: Artifacts) -> Seen:
    try:
        return Seen(artifacts.find_owner())
    except SynthGenError as error:
        return Seen(away=told(error))
    except OSError as error:
        return Seen(away=str(error))


def ray_cluster(address: str, artifacts: Artifacts) -> Iterator[Finding]:
    try:
        context = ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError, RayError) as error:
        advice = "See that it runs, and that RAY_AUTH_MODE and RAY_AUTH_TOKEN_PATH are those that it was started with."
        yield fail("ray", f"The cluster at {address} cannot be joined: {error}", advice)
        return
    try:
        yield from _dashboard(context.dashboard_url)
        yield from _nodes(ray.nodes(), artifacts)
        yield from _application(_serve_status)
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


def _nodes(nodes: list[dict[str, Any]], artifacts: Artifacts) -> Iterator[Finding]:
    alive = [(node["NodeID"], node["NodeManagerAddress"]) for node in nodes if node["Alive"]]
    lost = sum(map(is_lost, nodes))
    if lost:
        yield warn("ray", f"{lost} nodes were lost since it started.", "ray list nodes tells which; start others.")
    asked = []
    for node_id, address in alive:
        said = on_node(node_id, answer, artifacts, name="doctor")
        asked.append(Asked(address, time.time(), partial(ray.get, said, timeout=ANSWER_S)))
    findings = _findings(asked, seen(artifacts))
    yield from findings
    if not findings:
        cpus = ray.cluster_resources().get("CPU", 0)
        yield ok("ray", f"{len(alive)} nodes with {cpus:g} CPUs do our work, and agree on the time.")


def _serve_status() -> ServeStatus:
    """By a task, for which nobody need wait: Serve itself waits for its controller for ever."""
    here = ray.get_runtime_context().get_node_id()
    status: ServeStatus = ray.get(on_node(here, serve.status, name="doctor"), timeout=ANSWER_S)
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
