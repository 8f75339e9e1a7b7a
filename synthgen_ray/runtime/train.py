"""Ray Train around `jobs/train.py`: workers, progress, and what a failure means."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.domain.entities import Assignment, Job, Progress, TrainedModel
from synthgen_ray.domain.errors import Cancelled, SynthGenError, Unavailable
from synthgen_ray.jobs.failures import WorkerLost
from synthgen_ray.runtime.names import METADATA, NAMESPACE, run_name
from synthgen_ray.settings import Settings

REPORT_EVERY_S = 0.5


@dataclass(frozen=True)
class Workers:
    """What a training gets. Not `distributed`: it runs in the job's own process."""

    count: int
    cpus: int
    use_gpu: bool
    distributed: bool


class TrainJob:
    """The process of one training. Killing it ends the training with all its workers."""

    def run(self, assignment: Assignment, workers: Workers, settings: Settings) -> TrainedModel | None:
        artifacts = open_artifacts(settings.artifacts_url, settings.data_dir)
        order = {"assignment": assignment, "artifacts": artifacts, "cpus": workers.cpus}
        return _fit(order, workers) if workers.distributed else _work(order)


def _fit(order: dict[str, Any], workers: Workers) -> TrainedModel:
    # Read by Ray Train when it is imported. Without state tracking its dashboard tab stays empty;
    # with the default interval a finished worker is noticed after two seconds.
    os.environ.setdefault("RAY_TRAIN_ENABLE_STATE_TRACKING", "1")
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    job: Job = order["assignment"].job
    artifacts: Artifacts = order["artifacts"]
    artifacts.check_writable()  # what Ray Train says of a store that is away helps nobody
    name = run_name(job)
    trainer = TorchTrainer(
        _train_loop,
        train_loop_config=order,
        scaling_config=ScalingConfig(
            num_workers=workers.count,
            use_gpu=workers.use_gpu,
            resources_per_worker={"CPU": workers.cpus, **({"GPU": 1} if workers.use_gpu else {})},
        ),
        run_config=RunConfig(
            name=name,
            storage_path=artifacts.uri(job.folder),  # all nodes see it
            # The jobs table owns the retries.
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0),
        ),
    )
    try:
        result = trainer.fit()
    except TrainingFailedError as error:
        raise _reason(error) from error
    finally:
        with suppress(Unavailable):  # then it is erased with the attempt
            artifacts.erase(f"{job.folder}/{name}")
    return result.return_value


def _train_loop(order: dict[str, Any]) -> TrainedModel | None:
    return _work(order)


def _work(order: dict[str, Any]) -> TrainedModel | None:
    """What each worker does: all learn, the first reports and keeps."""
    import torch

    from synthgen_ray.jobs.train import keep, learn

    torch.set_num_threads(order["cpus"])
    assignment: Assignment = order["assignment"]
    artifacts: Artifacts = order["artifacts"]
    is_first = _rank() == 0
    model = learn(assignment, artifacts, _reporter(assignment) if is_first else _silent)
    return keep(model, assignment.job, artifacts) if is_first else None


def _rank() -> int:
    import torch.distributed as dist

    return dist.get_rank() if dist.is_initialized() else 0


def _silent(_: Progress) -> None: ...


def _reporter(assignment: Assignment) -> Callable[[Progress], None]:
    """Progress into the job's row, at most every half second.

    Raises: Cancelled, from the returned function, when this attempt is no longer wanted.
    """
    store = ray.get_actor(METADATA, NAMESPACE)
    job = assignment.job
    last = -REPORT_EVERY_S

    def report(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < REPORT_EVERY_S and progress.fraction < 1:
            return
        last = now
        try:
            wanted = ray.get(store.call.remote("report_progress", job.id, job.attempt, progress))
        except (RayActorError, Unavailable):
            return  # the store is away for a moment; the training is not worth less for it
        if not wanted:
            raise Cancelled

    return report


def _reason(error: Exception) -> BaseException:
    """What stopped the workers: an error of ours, the loss of a process, or a bug."""
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    causes = [_cause(failure) for failure in failures.values()]
    ours = [cause for cause in causes if isinstance(cause, SynthGenError)]
    if ours:
        return ours[0]
    if not causes or any(isinstance(cause, RayError) for cause in causes):
        return WorkerLost()
    return causes[0]


def _cause(failure: Exception) -> BaseException:
    # A worker that no longer answers arrives wrapped in what its health check met.
    failure = getattr(failure, "health_check_failure", failure)
    return failure.cause if isinstance(failure, RayTaskError) else failure
