"""Where jobs run on a Ray cluster: trainings and reports in tasks, or by Ray Train; generations on the samplers, or by
Ray Data."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import RayError, RayTaskError

from synthgen_ray.domain.entities import Artifact, Assignment, MadeReport, Part, Progress, TrainedModel
from synthgen_ray.domain.errors import InvalidRequest, Postponed, WorkerLost
from synthgen_ray.domain.params import Resources
from synthgen_ray.jobs.dispatcher import OnProgress
from synthgen_ray.jobs.parts import PartPlan
from synthgen_ray.runtime.capacity import Workers, plan_workers
from synthgen_ray.runtime.generate import GenerateJob, plans_of
from synthgen_ray.runtime.leftovers import free_leftovers, free_leftovers_soon
from synthgen_ray.runtime.names import run_name
from synthgen_ray.runtime.nodes import unless_it_dies, unless_one_dies
from synthgen_ray.runtime.report import judge
from synthgen_ray.runtime.samplers import cause_of, deployed, forget, having, insist
from synthgen_ray.runtime.train import SILENCE_S, lead, train
from synthgen_ray.settings import Settings

T = TypeVar("T")
SIGN_EVERY_S = 10.0


class RayLauncher:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cleanings: set[asyncio.Task[None]] = set()

    async def train(self, assignment: Assignment) -> TrainedModel:
        """Raises: Postponed, when the cluster has no room for it now; WorkerLost; what the training raises."""
        workers = await self._workers(assignment)
        name = run_name(assignment.job)
        await free_leftovers()
        if not workers.by_ray_train:
            return await run_warm(train, f"train {name}", workers.cpus, assignment, workers, self._settings)
        try:
            return await run_warm(lead, f"lead {name}", 0, assignment, workers, self._settings)
        finally:
            cleaning = asyncio.create_task(free_leftovers_soon())
            self._cleanings.add(cleaning)
            cleaning.add_done_callback(self._cleanings.discard)

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        """Raises: WorkerLost; what the sampling raises."""
        job = assignment.job
        if job.config["num_rows"] > self._settings.generation.max_rows_by_samplers:
            return await _run_apart(GenerateJob, f"generate {run_name(job)}", assignment, self._settings)
        samplers = having(await deployed(), assignment.source)
        plans = plans_of(assignment)
        parts: dict[int, Part] = {}
        places = asyncio.Semaphore(self._settings.generation.max_parts)

        async def make(plan: PartPlan) -> None:
            async with places:
                parts[plan.index] = await insist(samplers, "write_part", assignment, plan)
                rows = sum(part.num_rows for part in parts.values())
                await report(Progress.of_rows(rows, job.config["num_rows"]))

        try:
            async with asyncio.TaskGroup() as group:
                for plan in plans:
                    group.create_task(make(plan))
        except ExceptionGroup as failed:
            # The first part to fail took the others down.
            raise failed.exceptions[0] from None
        return await insist(samplers, "publish", job, [parts[plan.index] for plan in plans])

    async def judge(self, assignment: Assignment) -> MadeReport:
        """Raises: WorkerLost; what the report raises."""
        return await run_warm(judge, f"report {run_name(assignment.job)}", 1, assignment, self._settings)

    async def forget(self, folders: tuple[str, ...]) -> None:
        await forget(folders)

    async def _workers(self, assignment: Assignment) -> Workers:
        job, asked = assignment.job, Resources.model_validate(assignment.resources)
        cluster = await asyncio.to_thread(ray.cluster_resources)
        try:
            return plan_workers(job.model_type, asked, cluster, self._settings)
        except InvalidRequest as error:
            raise Postponed from error  # it had when the job was accepted: a node is away, and may come back


async def run_warm(function: Callable[..., T], name: str, cpus: float, *order: Any) -> T:
    """What it answers, run in a process that may have imported all for an earlier one, and that is killed when nobody
    waits for it any more.

    Raises: WorkerLost; Postponed; what it raises.
    """
    task = ray.remote(_tell).options(name=name, num_cpus=cpus, max_retries=0).remote(function, *order)
    is_done = False
    try:
        node_id = await unless_one_dies(_next_of(task))
        answer = cast(T, await unless_it_dies(node_id, _last_of(task)))
        is_done = True
        return answer
    except Exception as error:
        is_done = isinstance(error.__cause__, RayTaskError)  # it raised that itself
        raise
    finally:
        # Ray aborts the process of who cancels what is about to be done (ray-project/ray#54260).
        if not (is_done and await _has_ended(task)):
            ray.cancel(task, force=True)


def _tell(function: Callable[..., T], *order: Any) -> Iterator[str | T | None]:
    """The node that this runs on, nothing as a sign of life while it works, then what the function answers."""
    yield ray.get_runtime_context().get_node_id()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(function, *order)
        while not wait([answer], SIGN_EVERY_S).done:
            yield None
        yield answer.result()


async def _last_of(task: "ray.ObjectRefGenerator[Any]") -> Any:
    """Raises: WorkerLost, also when it falls silent; what the function raises."""
    try:
        while True:
            async with asyncio.timeout(SILENCE_S):
                said = await _next_of(task)
            if said is not None:
                return said
    except TimeoutError as error:
        raise WorkerLost from error


async def _has_ended(task: "ray.ObjectRefGenerator[Any]") -> bool:
    """Whether its stream has, within the time in which it would say something."""
    with suppress(RayError, TimeoutError):
        async with asyncio.timeout(SILENCE_S):
            async for _ in task:
                pass
            return True
    return False


async def _next_of(task: "ray.ObjectRefGenerator[Any]") -> Any:
    return await _answer_of(await anext(task))


async def _run_apart(job_class: type, name: str, *order: Any) -> Any:
    """What it answers, run in an actor of its own that leads others, and that is killed when nobody waits for it any
    more.

    Raises: WorkerLost; what it raises.
    """
    actor = ray.remote(job_class).options(name=name, num_cpus=0, max_restarts=0).remote()
    try:
        return await _answer_of(actor.run.remote(*order))
    finally:
        ray.kill(actor)


async def _answer_of(call: "ray.ObjectRef[Any]") -> Any:
    try:
        return await call
    except RayTaskError as error:
        raise cause_of(error) from error
    except RayError as error:
        raise WorkerLost from error
