"""Machines that are lost at work: a node, the network to a node, the head with all that is on it; a process of it that
stands still for longer than its job waits, or of those that Ray Data has at work.

After each loss both of its jobs, a training and a generation, must complete, in one publication each and with the bytes
that an undisturbed generation has.
"""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psutil

from synthgen_ray.domain.lifecycle import LEASE, JobStatus
from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import JobEventRow, utc_now
from tests.chaos.bank import sqlite_url
from tests.chaos.cable import Cable, a_cable
from tests.chaos.kills import a_shop, begun_training
from tests.chaos.workload import Shop
from tests.folders import a_folder
from tests.history import all_events, check_history
from tests.ray_nodes import RayNodes, a_server_on, ray_nodes
from tests.servers import UpServer, an_up_server, is_alive, kill_family, standing_still, wait_until

EPOCHS_WHILE_A_NODE_JOINS = 1500
ROWS = 200_000
WAIT_S = 300.0
REQUEUED_S = LEASE.total_seconds() + 10
SERVES_S, RECONCILED_S = 60.0, 90.0  # after the start of a new head


@dataclass(frozen=True)
class Work:
    """What a server is at work with when a machine is lost."""

    shop: Shop
    undisturbed: str  # the rows of a generation

    def generate(self) -> str:
        return _generation(self.shop)

    def complete(self, model: str, generation: str) -> None:
        self.shop.client.wait_for_model(model, timeout_s=WAIT_S)
        assert _rows(self.shop, generation) == self.undisturbed


@contextlib.contextmanager
def _work(server: UpServer) -> Iterator[Work]:
    with a_shop(server) as shop:
        yield Work(shop, _rows(shop, _generation(shop)))


def _generation(shop: Shop) -> str:
    """The id of a job that was accepted."""
    job: str = shop.client.generate(shop.model_id, ROWS, seed=5)["job_id"]
    return job


def _rows(shop: Shop, generation: str) -> str:
    """The hash of what it made."""
    sha256: str = shop.client.wait_for_job(generation, timeout_s=WAIT_S)["result"]["sha256"]
    return sha256


def nodes_lost(times: int) -> str:
    """A node on which the training runs loses its power, and another joins.

    Each second training is of two workers, for which there is room again only once the other has joined.
    """
    killed = []
    with ray_nodes(head_cpus=0) as nodes, a_folder() as folder:
        nodes.join(num_cpus=2)
        nodes.join(num_cpus=2)
        with a_server_on(nodes, folder) as server, _work(server) as work:
            for number in range(times):
                num_workers = 1 + number % 2
                jobs = begun_training(work.shop, num_workers), work.generate()
                killed.append(utc_now())
                nodes.kill(nodes.node_of("ray::train " if num_workers == 1 else "RayTrainWorker"))
                if num_workers == 1:
                    work.complete(*jobs)
                nodes.join(num_cpus=2)
                work.complete(*jobs)
            told = _checked(server, f"{times} nodes lost", at_least=times)
            longest_s = max(_requeued_s(server, moment) for moment in killed)
            assert longest_s <= REQUEUED_S, f"a job waited again only after {longest_s:.0f} s"
            return f"{told}; they waited again after {longest_s:.0f} s at most"


def networks_cut(times: int) -> str:
    """The network to the node that does all the work is cut, and heals when another has done it."""
    with (
        a_cable() as cable,
        ray_nodes(head_cpus=0, ip=cable.ours) as nodes,
        a_folder() as folder,
    ):
        far = _far(nodes, cable)
        with a_server_on(nodes, folder) as server, _work(server) as work:
            for _ in range(times):
                training = begun_training(work.shop, epochs=EPOCHS_WHILE_A_NODE_JOINS)
                near = nodes.join(num_cpus=2)
                generation = work.generate()
                cable.unplug()
                work.complete(training, generation)
                cut_off = psutil.Process(far.pid).children(recursive=True)
                cable.plug()
                wait_until(lambda there=cut_off: not any(map(_works, there)), "the cut-off workers are gone", WAIT_S)
                nodes.kill(far)
                far = _far(nodes, cable)
                nodes.kill(near)
                wait_until(work.shop.client.is_ready, "the server is ready", WAIT_S)
            return _checked(server, f"{times} networks cut", at_least=times)


def heads_lost(times: int) -> str:
    """All processes of a server of one machine are killed at once, and it starts again on its folder."""
    ready_s, reconciled_s = [], []
    with an_up_server() as server, _work(server) as work:
        for _ in range(times):
            jobs = begun_training(work.shop), work.generate()
            info = DataDir(server.data_dir).find_info()
            assert info
            kill_family(info.pid)
            begun = time.monotonic()
            server.up()
            wait_until(work.shop.client.is_ready, "the server is ready", WAIT_S)
            ready_s.append(time.monotonic() - begun)
            wait_until(lambda: _all_run_again(server), "the jobs run again", WAIT_S)
            reconciled_s.append(time.monotonic() - begun)
            work.complete(*jobs)
        told = _checked(server, f"{times} heads lost", at_least=times)
    figures = f"ready after {max(ready_s):.0f} s, reconciled after {max(reconciled_s):.0f} s at most"
    assert (max(ready_s) <= SERVES_S, max(reconciled_s) <= RECONCILED_S) == (True, True), figures
    return f"{told}; {figures}"


def processes_stopped(rounds: int, at_once: int) -> str:
    """Each training's process is stopped until another attempt has ended its job, and then goes on."""
    room = {"SYNTHGEN_NUM_CPUS": str(at_once + 2), "SYNTHGEN_TRAINING__MAX_RUNNING": str(at_once)}
    with an_up_server(**room) as server, _work(server) as work:
        for _ in range(rounds):
            trainings: list[str] = []
            with contextlib.ExitStack() as stopped:
                for _ in range(at_once):
                    trainings.append(begun_training(work.shop, epochs=EPOCHS_WHILE_A_NODE_JOINS))
                    job = work.shop.client.get_model(trainings[-1])["jobs"][0]["id"]
                    stopped.enter_context(standing_still(server.processes(f"ray::train vae-{job[:8]}")))
                late = [process for process in server.processes("ray::train ") if process.status() == "stopped"]
                assert len(late) == at_once
                for training in trainings:
                    work.shop.client.wait_for_model(training, timeout_s=WAIT_S)
            wait_until(lambda there=late: not any(map(_works, there)), "the late processes are gone", WAIT_S)
        return _checked(server, f"{rounds * at_once} processes stopped", at_least=rounds * at_once)


def makers_lost(times: int) -> str:
    """A process is killed of those that make a generation by Ray Data: one that draws, then who leads them."""
    by_ray_data = {"SYNTHGEN_NUM_CPUS": "4", "SYNTHGEN_GENERATION__MAX_ROWS_BY_SAMPLERS": str(ROWS - 1)}
    with an_up_server(**by_ray_data) as server, _work(server) as work:
        for number in range(times):
            generation = work.generate()
            server.kill(("PartMaker", "ray::generate ")[number % 2])
            assert _rows(work.shop, generation) == work.undisturbed
        return _checked(server, f"{times} processes of Ray Data lost", at_least=times // 2)


def _far(nodes: RayNodes, cable: Cable) -> "subprocess.Popen[bytes]":
    return nodes.join(2, f"--node-ip-address={cable.theirs}", within=cable.within)


def _works(process: psutil.Process) -> bool:
    """Whether it is one of Ray's workers, and not gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return is_alive(process) and "ray::" in " ".join(process.cmdline())
    return False


def _histories(server: UpServer) -> dict[UUID, list[JobEventRow]]:
    async def read() -> dict[UUID, list[JobEventRow]]:
        store = Store(sqlite_url(server.data_dir))
        histories = await all_events(store)
        await store.dispose()
        return histories

    return asyncio.run(read())


def _requeued_s(server: UpServer, since: datetime) -> float:
    """Until a job that ran then waited again."""
    moves = (event for events in _histories(server).values() for event in events)
    lost = (event.at for event in moves if event.from_status is JobStatus.RUNNING and not event.to_status.is_final)
    return (min(at for at in lost if at > since) - since).total_seconds()


def _all_run_again(server: UpServer) -> bool:
    """Each job has ended or is in an attempt of the new head's."""
    return all(
        events[-1].to_status.is_final or sum(event.to_status is JobStatus.RUNNING for event in events) > 1
        for events in _histories(server).values()
    )


def _checked(server: UpServer, what: str, at_least: int) -> str:
    """Every job has a legal history with one end, and so many attempts were lost."""
    histories = _histories(server).values()
    for events in histories:
        check_history(events, JobStatus.COMPLETED)
        assert sum(event.to_status.is_final for event in events) == 1
    attempts = sum(events[-1].attempt for events in histories)
    assert attempts >= len(histories) + at_least, "nothing was lost"
    return f"{what}, {len(histories)} jobs in {attempts} attempts: each published once, with the same bytes"
