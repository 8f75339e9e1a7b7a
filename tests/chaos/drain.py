"""A long queue, and dispatchers in processes of their own that are killed while they empty it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from uuid import UUID

import psutil

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.store.store import Store
from tests.chaos.bank import Bank, a_bank, fill, sqlite_url
from tests.fakes import WritingLauncher
from tests.given import ADMIN

SLOTS = 3
ENDED = [status for status in JobStatus if status.is_final]
LIST_P99_MS, FAIRNESS, MIB = 300.0, 2.0, 1536.0  # at most, on a machine that does nothing else
LIST_EVERY_S = 0.2


async def drained(
    folder: Path, count: int, dispatchers: int, kill_every: int, limit_s: float, *, is_measured: bool = False
) -> str:
    """Half of the jobs are one project's, the others share the rest; each must end once, and with its file."""
    async with a_bank(folder) as bank:
        projects = await fill(bank, count)
        with ExitStack() as stack:
            family = [stack.enter_context(_process(folder, f"d{number}")) for number in range(dispatchers)]
            kills, lists_s, mib = await _watch(bank, count, family, Random(1), kill_every, limit_s)
        ended = await bank.check_all_ended()
        assert len(ended) == count
        outcomes = Counter(job.failure.code if job.failure else job.status.value for job in ended)
        assert set(outcomes) <= {JobStatus.COMPLETED, "worker_lost"}, outcomes
        await bank.erase_all()
        bank.check_files(folder / "artifacts", [job.artifact for job in ended if job.artifact])
        p99_ms, fairness = 1000 * sorted(lists_s)[int(0.99 * len(lists_s))], _fairness(ended, projects)
        measured = f"list p99 {p99_ms:.0f} ms, fairness ratio {fairness:.2f}, {mib:.0f} MiB each at most"
        figures = f"{kills} killed, {measured}, {dict(outcomes)}"
        assert kills >= count // kill_every // 2, figures
        assert outcomes[JobStatus.COMPLETED] >= 0.9 * count, figures
        if is_measured:
            assert (p99_ms <= LIST_P99_MS, fairness <= FAIRNESS, mib <= MIB) == (True, True, True), figures
        return f"{count} jobs drained by {dispatchers} dispatchers, each once: {figures}"


async def _watch(
    bank: Bank, count: int, family: "list[_Child]", chance: Random, kill_every: int, limit_s: float
) -> tuple[int, list[float], float]:
    """Until so many have ended: list as a client does, and kill one after each so many jobs. Answers how many were
    killed, how long each list took, and how large the largest process was."""
    kills, lists_s, mib, waiting_at_kill = 0, [], 0.0, -1
    async with asyncio.timeout(limit_s):
        while True:
            begun = time.perf_counter()
            waiting = (await bank.store.list_jobs(ADMIN, None, None, JobStatus.PENDING, 20, 0)).total
            lists_s.append(time.perf_counter() - begun)
            ended = [(await bank.store.list_jobs(ADMIN, None, None, status, 1, 0)).total for status in ENDED]
            mib = max(mib, psutil.Process().memory_info().rss / 2**20, *(child.mib() for child in family))
            if sum(ended) == count:
                return kills, lists_s, mib
            waiting_at_kill = max(waiting_at_kill, waiting)
            if waiting_at_kill - waiting >= kill_every:
                chance.choice(family).kill_and_restart()
                kills, waiting_at_kill = kills + 1, waiting
            await asyncio.sleep(LIST_EVERY_S)


def _fairness(jobs: list[Job], projects: list[UUID]) -> float:
    """While all projects wait, how often the one that is served most is served for once of the one that is least."""
    served: Counter[UUID] = Counter(dict.fromkeys(projects, 0))
    left = Counter(job.project_id for job in jobs)
    for job in sorted(jobs, key=lambda job: job.finished_at or job.created_at):
        served[job.project_id] += 1
        if served[job.project_id] == left[job.project_id]:
            break
    return max(served.values()) / max(1, min(served.values()))


class _Child:
    """A dispatcher's process."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._command = [sys.executable, "-m", "tests.chaos.drain", json.dumps([str(folder), owner])]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)

    def mib(self) -> float:
        """Of memory."""
        return psutil.Process(self._process.pid).memory_info().rss / 2**20

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_and_restart(self) -> None:
        self.kill()
        self.start()


@contextmanager
def _process(folder: Path, owner: str) -> Iterator[_Child]:
    child = _Child(folder, owner)
    try:
        yield child
    finally:
        child.kill()


async def _dispatch(folder: Path, owner: str) -> None:
    artifacts = DiskArtifacts(folder / "artifacts")
    slots = dict.fromkeys(JobType, SLOTS)
    await Dispatcher(Store(sqlite_url(folder)), artifacts, WritingLauncher(artifacts), slots, owner).run()


if __name__ == "__main__":
    folder, owner = json.loads(sys.argv[1])
    asyncio.run(_dispatch(Path(folder), owner))
