"""How many jobs a second the metadata bears: made-up nodes that do nothing, a real dispatcher, a real PostgreSQL.

    python -m tests.bench.capacity --nodes 100 --seconds 30 10 3 1 0

Each node has room for one job, which takes so many seconds and tells of its progress meanwhile.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.store.migrating import migrate
from tests.beside import beside
from tests.chaos.bank import Bank, fill
from tests.fakes import WritingLauncher
from tests.given import ADMIN, admit_admin
from tests.postgres import a_postgres

LOOK_S = 0.2
ROUNDS = 3  # jobs that each node does
LEAST_JOBS = 1000


@dataclass(frozen=True)
class Figures:
    jobs_per_second: float
    python_ms: float  # of a CPU, for a job: what the dispatcher and the metadata actor do
    postgres_ms: float
    list_p99_ms: float  # until a list of 20 jobs is there


async def measured(folder: Path, url: str, nodes: int, seconds: float) -> Figures:
    await migrate(url)
    await admit_admin(url)
    bank = Bank(folder, url)
    bank.artifacts.prepare()
    jobs = max(ROUNDS * nodes, LEAST_JOBS if seconds == 0 else 0)
    await fill(bank, jobs)

    async def rest(_: object) -> None:
        await asyncio.sleep(seconds / WritingLauncher.RESTS)

    launcher = WritingLauncher(bank.artifacts, rest)
    dispatcher = Dispatcher(bank.store, bank.artifacts, launcher, dict.fromkeys(JobType, nodes), "capacity")
    lists_s, begun, python, postgres = [], time.monotonic(), time.process_time(), _children_s()
    async with beside(dispatcher.run()):
        while (await bank.store.list_jobs(ADMIN, None, None, JobStatus.COMPLETED, 1, 0)).total < jobs:
            asked = time.perf_counter()
            await bank.store.list_jobs(ADMIN, None, None, None, 20, 0)
            lists_s.append(time.perf_counter() - asked)
            await asyncio.sleep(LOOK_S)
    took = time.monotonic() - begun
    figures = Figures(
        jobs / took,
        1000 * (time.process_time() - python) / jobs,
        1000 * (_children_s() - postgres) / jobs,
        1000 * sorted(lists_s)[int(0.99 * len(lists_s))],
    )
    await dispatcher.stop()
    await bank.store.dispose()
    return figures


def _children_s() -> float:
    times = [process.cpu_times() for process in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.capacity", description=__doc__)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--seconds", type=float, nargs="+", default=[30, 10, 3, 1, 0], help="that a job takes")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    headings = "nodes", "seconds a job", "jobs/s", "of all", "Python ms a job", "PostgreSQL ms a job", "list p99 ms"
    print(f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}")
    for seconds in options.seconds:
        with a_postgres() as postgres, tempfile.TemporaryDirectory(prefix="sg-") as folder:
            url = postgres.url(postgres.new_database())
            found = asyncio.run(measured(Path(folder), url, options.nodes, seconds))
        could = f"{found.jobs_per_second * seconds / options.nodes:.0%}" if seconds else ""
        print(
            f"| {options.nodes} | {seconds:g} | {found.jobs_per_second:.1f} | {could} | {found.python_ms:.1f} "
            f"| {found.postgres_ms:.1f} | {found.list_p99_ms:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
