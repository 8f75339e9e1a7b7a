"""Where jobs run on a Ray cluster: trainings in an actor of their own, generations on the samplers."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError, WorkerCrashedError

from synthgen_ray.domain.entities import Artifact, Assignment, Part, Progress, TrainedModel
from synthgen_ray.domain.errors import InvalidRequest, SynthGenError, WorkerLost
from synthgen_ray.domain.params import Resources
from synthgen_ray.jobs.dispatcher import Report
from synthgen_ray.jobs.parts import PartPlan, plan_parts
from synthgen_ray.runtime.capacity import Workers, plan_workers
from synthgen_ray.runtime.names import APP, SAMPLER, run_name
from synthgen_ray.runtime.train import TrainJob
from synthgen_ray.settings import Settings

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

log = logging.getLogger(__name__)
# A part that a dying replica took down is drawn again elsewhere, the same rows.
PART_ATTEMPTS = 5


class RayLauncher:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def train(self, assignment: Assignment) -> TrainedModel:
        """Raises: InvalidRequest, when the cluster cannot run it; WorkerLost; what the training raises."""
        job = assignment.job
        workers = self._workers(assignment)
        actor = (
            ray.remote(TrainJob)
            .options(
                name=f"train {run_name(job)}",
                num_cpus=0 if workers.distributed else workers.cpus,
                max_restarts=0,
            )
            .remote()
        )
        try:
            return await actor.run.remote(assignment, workers, self._settings)
        except RayTaskError as error:
            raise _cause(error) from error
        except RayError as error:
            raise WorkerLost from error
        finally:
            ray.kill(actor)

    async def generate(self, assignment: Assignment, report: Report) -> Artifact:
        """Raises: WorkerLost; what the sampling raises."""
        from ray import serve  # 60 MB that an idle dispatcher does without

        job = assignment.job
        sampler = serve.get_deployment_handle(SAMPLER, APP).options(multiplexed_model_id=str(assignment.source.id))
        plans = plan_parts(job.config["num_rows"], assignment.chunk_rows)
        parts: dict[int, Part] = {}
        places = asyncio.Semaphore(self._settings.generation.max_parts)

        async def make(plan: PartPlan) -> None:
            async with places:
                parts[plan.index] = await _insist(sampler, "write_part", assignment, plan)
                rows = sum(part.num_rows for part in parts.values())
                await report(Progress(rows / job.config["num_rows"], f"{rows:,} of {job.config['num_rows']:,} rows"))

        try:
            async with asyncio.TaskGroup() as group:
                for plan in plans:
                    group.create_task(make(plan))
        except ExceptionGroup as failed:
            # The first part to fail took the others down.
            raise failed.exceptions[0] from None
        return await _insist(sampler, "publish", job, [parts[plan.index] for plan in plans])

    def _workers(self, assignment: Assignment) -> Workers:
        job, asked = assignment.job, Resources.model_validate(assignment.resources)
        try:
            return plan_workers(job.model_type, asked, ray.cluster_resources(), self._settings)
        except InvalidRequest as error:
            if job.attempt == 1:
                raise
            raise WorkerLost from error  # the cluster had it once: a node is away, and may come back


async def _insist(sampler: "DeploymentHandle", method: str, *args: Any) -> Any:
    """The answer of any replica; what a dying one takes down is asked of another."""
    for attempt in range(1, PART_ATTEMPTS + 1):
        try:
            return await getattr(sampler, method).remote(*args)
        except RayTaskError as error:
            raise _cause(error) from error
        except (RayActorError, WorkerCrashedError) as error:
            if attempt == PART_ATTEMPTS:
                raise WorkerLost from error
            log.warning("a sampler died during %s; asking another", method)
            await asyncio.sleep(0.5 * attempt)
    raise AssertionError("unreachable")


def _cause(error: RayTaskError) -> BaseException:
    """What was raised there: errors of ours as they were, others as they arrive."""
    return error.cause if isinstance(error.cause, SynthGenError | WorkerLost | MemoryError) else error
