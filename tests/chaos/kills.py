"""`kill -9` of each kind of process while clients are at work: nothing that was acknowledged is lost, nothing is there
twice, every job ends, and the service is back within the figure of its row.

`python -m tests.chaos kills`: twenty kills of each kind; `tests/crashes/test_kills.py` does one of each, and leaves the
figures to a machine that does nothing else.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.api.conftest import a_table
from tests.chaos.workload import PAUSE_S, Shop, Workload
from tests.servers import SAMPLER, UpServer, is_alive, wait_until

BEFORE_S, AFTER_S = 1.5, 3.0
TRAINED_S = 180.0
CALM_S = 1.0  # the pause between calls while a training has to start again, for which its figure needs a core
TRAIN = ("RayTrainWorker", "ray::train ")  # the titles of those that do
TRAINING = {"early_stop": False, "batch_size": 50, "embedding_dim": 8, "refine": False}


@dataclass(frozen=True)
class Victim:
    """A kind of process, by words of its title, how soon calls must be answered as they should be again, and how soon
    others train."""

    name: str
    title: str
    outage_s: float
    trained_by: int = 0  # workers of the training while which alone it is there
    again_s: float | None = None
    back_s: float = AFTER_S  # until there is another one, though calls may be answered before


VICTIMS = (
    Victim("ingress", "ServeReplica:synthgen:Api", 10),
    Victim("sampler", SAMPLER, 10),
    Victim("metadata actor", "ray::Metadata", 5),
    Victim("dispatcher", "ray::DispatcherActor", 1, trained_by=1),
    Victim("Serve controller", "ServeController", 0),
    Victim("Serve proxy", "ray::ProxyActor", 5),
    Victim("training worker", "RayTrainWorker", 1, trained_by=2, again_s=10),
    Victim("training controller", "ray::lead ", 1, trained_by=2),
    Victim("training job", "ray::train ", 1, trained_by=1, again_s=10),
)
ONE_OF_TWO_INGRESSES = Victim("one of two ingresses", "ServeReplica:synthgen:Api", 2, back_s=15)


@dataclass(frozen=True)
class Kill:
    victim: Victim
    outage_s: float
    findings: tuple[str, ...]
    again_s: float | None = None  # of a training: until others trained


@contextmanager
def a_shop(server: UpServer) -> Iterator[Shop]:
    with server.client() as client, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "accounts.csv"
        file.write_bytes(a_table(300))
        project = client.create_project("Kills")["id"]
        version = client.upload_dataset(project, "accounts", file)["dataset_version_id"]
        model = client.create_model(project, version, "copula", "gaussian_copula", {"seed": 1})["id"]
        client.wait_for_model(model, timeout_s=TRAINED_S)
        first = client.generate(model, 10)  # a sampler is up
        client.wait_for_job(first["job_id"], timeout_s=TRAINED_S)
        yield Shop(server, client, project, version, model)
        client.delete_project(project, force=True)


def kill(shop: Shop, victim: Victim, name: str, after_s: float) -> Kill:
    """Kill one such process among clients that work on for so long, and see what became of their calls."""
    findings, again_s = [], None
    training = begun_training(shop, victim.trained_by) if victim.trained_by else None
    workload = Workload(shop, name, CALM_S if training else PAUSE_S)
    with workload.running():
        time.sleep(BEFORE_S)
        lost = _trainers(shop)
        killed = time.monotonic()
        shop.server.kill(victim.title)
        if training:
            wait_until(lambda: len(set(_trainers(shop)) - set(lost)) == victim.trained_by, "others train", TRAINED_S)
            again_s = time.monotonic() - killed
        time.sleep(max(0.0, killed + after_s - time.monotonic()))
    if training:
        shop.client.wait_for_model(training, timeout_s=TRAINED_S)
        jobs = shop.client.get_model(training)["jobs"]
        findings += [f"the training has {len(jobs)} jobs"] * (len(jobs) != 1)
        findings += [f"{one} outlived its training" for one in lost if is_alive(one)]
    outage_s = workload.outage_s(killed)
    findings += [f"{one} before the kill" for one in workload.faults_before(killed)]
    findings += [f"refused: {one}" for one in workload.refusals()]
    findings += workload.check()
    return Kill(victim, outage_s, tuple(findings), again_s)


def _trainers(shop: Shop) -> list[psutil.Process]:
    return [process for title in TRAIN for process in shop.server.processes(title)]


def begun_training(shop: Shop, num_workers: int = 1, epochs: int = 300) -> str:
    """The id of a model whose training has begun."""
    resources = {"num_workers": num_workers}
    given = (shop.project_id, shop.version_id, "vae", "tvae", {**TRAINING, "epochs": epochs})
    model: str = shop.client.create_model(*given, resources=resources)["id"]
    job = shop.client.get_model(model)["jobs"][0]["id"]
    wait_until(lambda: shop.client.get_job(job)["progress"] > 0, "the training runs", TRAINED_S)
    return model


def killed(shop: Shop, times: int, victims: Sequence[Victim] = VICTIMS) -> str:
    """So many kills of each kind. Raises: AssertionError, with what is not as promised."""
    kills = [
        kill(shop, victim, f"{victim.name} {number}", max(victim.back_s, victim.outage_s + 1))
        for number in range(times)
        for victim in victims
    ]
    findings = [f"{one.victim.name}: {finding}" for one in kills for finding in (*one.findings, *_too_long(one))]
    assert not findings, "\n".join([*_outages(kills), *findings])
    return "; ".join(_outages(kills))


def _too_long(kill: Kill) -> Iterator[str]:
    if kill.outage_s > kill.victim.outage_s:
        yield f"calls failed for {kill.outage_s:.1f} s, {kill.victim.outage_s:g} are allowed"
    if kill.again_s and kill.victim.again_s and kill.again_s > kill.victim.again_s:
        yield f"it was trained again after {kill.again_s:.1f} s, {kill.victim.again_s:g} are allowed"


def _outages(kills: Sequence[Kill]) -> Iterator[str]:
    for victim in dict.fromkeys(one.victim for one in kills):
        outages = [kill.outage_s for kill in kills if kill.victim == victim]
        told = f"{victim.name}: {len(outages)} kills, calls failed for {_median_and_most(outages)}"
        again = [kill.again_s for kill in kills if kill.victim == victim and kill.again_s is not None]
        yield f"{told}, trained again after {_median_and_most(again)}" if again else told


def _median_and_most(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.1f} s, {max(seconds):.1f} s at most"
