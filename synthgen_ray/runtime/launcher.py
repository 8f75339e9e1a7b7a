"""Where jobs run on a Ray cluster: trainings and reports in tasks, or by Ray Train; generations on the samplers, or by
Ray Data."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

from synthgen_ray.domain.entities import Artifact, Assignment, MadeReport, Part, Progress, TrainedModel
from synthgen_ray.domain.errors import InvalidRequest, Postponed
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import Resources
from synthgen_ray.jobs.dispatcher import OnProgress
from synthgen_ray.jobs.parts import PartPlan
from synthgen_ray.runtime.capacity import REPORT_CPUS, Workers, is_by_ray_data, plan_workers, types_with_room
from synthgen_ray.runtime.generate import generate, plans_of
from synthgen_ray.runtime.leftovers import free_leftovers, free_leftovers_soon
from synthgen_ray.runtime.names import GENERATE, LEAD, REPORT, TRAIN, run_name
from synthgen_ray.runtime.nodes import Cluster, KnownCluster
from synthgen_ray.runtime.places import Places
from synthgen_ray.runtime.processes import Leaders, run_warm
from synthgen_ray.runtime.report import judge
from synthgen_ray.runtime.samplers import deployed, forget, having, insist, turns, wake
from synthgen_ray.runtime.train import lead, train
from synthgen_ray.settings import Settings


class RayLauncher:
    """Belongs to an event loop. What a dispatcher before it had reserved, and was killed, it frees."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster = KnownCluster()
        self._leaders = Leaders()
        self._places = Places(turns, settings.generation.max_parts)
        self._aside: set[asyncio.Task[None]] = set()
        self._do_aside(free_leftovers_soon())

    async def room(self, running: Collection[Assignment]) -> Collection[JobType]:
        cluster = await self._cluster.known() if running else Cluster()  # an idle server asks nobody
        return types_with_room(running, cluster, self._settings)

    async def train(self, assignment: Assignment) -> TrainedModel:
        """Raises: Postponed, when the cluster has no room for it now; WorkerLost; what the training raises."""
        workers = await self._workers(assignment)
        name = run_name(assignment.job)
        await asyncio.to_thread(free_leftovers)
        self._do_aside(wake(assignment.job.model_type))
        if not workers.by_ray_train:
            return await run_warm(train, f"{TRAIN} {name}", workers.cpus, assignment, workers, self._settings)
        try:
            return await self._leaders.lead(lead, f"{LEAD} {name}", assignment, workers, self._settings)
        finally:
            self._do_aside(free_leftovers_soon())

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        """Raises: Postponed, when no sampler can be had; WorkerLost; what the sampling raises."""
        job = assignment.job
        if is_by_ray_data(job, self._settings):
            return await self._leaders.lead(generate, f"{GENERATE} {run_name(job)}", assignment, self._settings)
        samplers, plans = await deployed(), plans_of(assignment)
        # Of many parts each sampler is to have some, whether it has the model in memory or not.
        drawing = samplers if len(plans) > 1 else having(samplers, assignment.source)
        parts: dict[int, Part] = {}

        async def make(plan: PartPlan) -> None:
            parts[plan.index] = await insist(drawing, "write_part", assignment, plan)
            rows = sum(part.num_rows for part in parts.values())
            await report(Progress.of_rows(rows, job.config["num_rows"]))

        await self._places.each(plans, make)
        return await insist(samplers, "publish", job, [parts[plan.index] for plan in plans])

    async def judge(self, assignment: Assignment) -> MadeReport:
        """Raises: WorkerLost; what the report raises."""
        return await run_warm(judge, f"{REPORT} {run_name(assignment.job)}", REPORT_CPUS, assignment, self._settings)

    async def forget(self, folders: tuple[str, ...]) -> None:
        await forget(folders)

    def _do_aside(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _workers(self, assignment: Assignment) -> Workers:
        job, asked = assignment.job, Resources.model_validate(assignment.resources)
        try:
            return plan_workers(job.model_type, asked, await self._cluster.known(), self._settings)
        except InvalidRequest as error:
            raise Postponed from error  # it had when the job was accepted: a node is away, and may come back
