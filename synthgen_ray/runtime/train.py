"""Ray Train around `jobs/train.py`: workers, progress, and what a failure means."""

import asyncio
import os
from contextlib import suppress
from functools import partial
from typing import Any, cast

from ray.exceptions import RayError, RayTaskError

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Assignment, Job, Progress, TrainedModel
from synthgen_ray.domain.errors import InvalidRequest, Postponed, SynthGenError, Unavailable, WorkerLost, artifacts_away
from synthgen_ray.runtime.capacity import Workers
from synthgen_ray.runtime.leftovers import free_leftovers
from synthgen_ray.runtime.names import train_run_name
from synthgen_ray.runtime.processes import ROOM_COMES_S, SILENCE_S
from synthgen_ray.runtime.raising import without_data
from synthgen_ray.runtime.stored import artifacts_of
from synthgen_ray.runtime.teller import Teller
from synthgen_ray.runtime.working import working_on
from synthgen_ray.settings import Settings


def train(assignment: Assignment, workers: Workers, settings: Settings) -> TrainedModel:
    """By the one worker that this process is."""
    return cast(TrainedModel, _work(_order(assignment, workers, settings)))  # the first one keeps what it learnt


def lead(assignment: Assignment, workers: Workers, settings: Settings) -> TrainedModel:
    """By the workers of a run of Ray Train, which end with this process, an actor's.

    Raises: Postponed, when there was no room for them in `ROOM_COMES_S`; Unavailable; WorkerLost; what the training
    raises.
    """
    order = _order(assignment, workers, settings)
    with working_on(assignment.job, settings.log_format, order["artifacts"]):
        return _fit(order, workers)


def _order(assignment: Assignment, workers: Workers, settings: Settings) -> dict[str, Any]:
    return {
        "assignment": assignment,
        "artifacts": artifacts_of(settings),
        "cpus": workers.cpus,
        "checkpoint_seconds": settings.training.checkpoint_seconds,
        "log_format": settings.log_format,
    }


def _fit(order: dict[str, Any], workers: Workers) -> TrainedModel:
    # Read by Ray Train when it is imported. Without state tracking its dashboard tab stays empty;
    # with the default interval a finished worker is noticed after two seconds.
    os.environ.setdefault("RAY_TRAIN_ENABLE_STATE_TRACKING", "1")
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", str(ROOM_COMES_S))
    # Its own patience with one that hangs is ten minutes.
    os.environ.setdefault("RAY_TRAIN_WORKER_HEALTH_CHECK_TIMEOUT_S", str(SILENCE_S))
    # A process more a run, that tells the workers of a node's end: they keep checkpoints all the time.
    os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer
    from ray.train.v2._internal.callbacks.datasets import DatasetsCallback
    from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
    from ray.train.v2._internal.execution.controller import TrainController
    from ray.train.v2.api.exceptions import TrainingFailedError

    class Trainer(TorchTrainer):  # type: ignore[misc]
        """With three processes of 200 MB less, of three seconds each."""

        def _create_default_callbacks(self) -> list[Any]:
            # There are no datasets, and `leftovers` cleans.
            unused = (DatasetsCallback, PlacementGroupCleanerCallback)
            return [one for one in super()._create_default_callbacks() if not isinstance(one, unused)]

        def _initialize_and_run_controller(self, **given: Any) -> Any:
            # In this process, which has imported all that it needs, and not in an actor of its own.
            controller = TrainController(**given)
            asyncio.run(controller.run())
            return controller.get_result()

    job: Job = order["assignment"].job
    artifacts: Artifacts = order["artifacts"]
    artifacts.check_writable()  # what Ray Train says of a store that is away helps nobody
    name = train_run_name(job)
    trainer = Trainer(
        partial(_train_loop, order),  # its dashboard would show a configuration: here with the names of all columns
        torch_config=TorchConfig(backend=collectives(workers)),
        scaling_config=ScalingConfig(
            num_workers=workers.count,
            use_gpu=workers.use_gpu,
            resources_per_worker={"CPU": workers.cpus, **({"GPU": 1} if workers.use_gpu else {})},
        ),
        run_config=RunConfig(
            name=name,
            storage_path=artifacts.uri(job.folder),  # all nodes see it
            # The jobs table owns the retries.
            failure_config=FailureConfig(max_failures=0, controller_failure_limit=0, max_preemption_failures=0),
        ),
    )
    try:
        result = trainer.fit()
    except TrainingFailedError as error:
        raise _reason(error) from error
    except OSError as error:  # Ray Train makes a file there before it begins
        raise artifacts_away() from error
    finally:
        free_leftovers()
        with suppress(Unavailable):  # then it is erased with the attempt
            artifacts.erase(f"{job.folder}/{name}")
    return result.return_value


def collectives(workers: Workers) -> str:
    """What carries the workers' sums. GPUs need gloo beside nccl: refinement is learnt on their CPUs."""
    return "cpu:gloo,cuda:nccl" if workers.use_gpu else "gloo"


@without_data
def _train_loop(order: dict[str, Any]) -> TrainedModel | None:
    import torch.distributed as dist

    return _work(order, is_first=not dist.is_initialized() or dist.get_rank() == 0)


def _work(order: dict[str, Any], is_first: bool = True) -> TrainedModel | None:
    """What each worker does: all learn, the first reports and keeps."""
    from synthgen_ray.jobs.checkpoints import JobCheckpoints
    from synthgen_ray.jobs.train import keep, learn

    assignment: Assignment = order["assignment"]
    artifacts: Artifacts = order["artifacts"]
    every_s = order["checkpoint_seconds"] if is_first else 0
    with working_on(assignment.job, order["log_format"], artifacts, threads=order["cpus"]):
        teller = Teller(assignment.job)
        with JobCheckpoints(assignment, artifacts, every_s, teller.checkpoint) as checkpoints:
            learnt = learn(assignment, artifacts, teller.progress if is_first else _silent, checkpoints)
        return keep(learnt, assignment, artifacts) if is_first else None


def _silent(_: Progress) -> None: ...


def _reason(error: Exception) -> BaseException:
    """What stopped the workers: an error of ours, a bug, or the loss of a process, which others notice before they
    are ended, and Ray Train where it says nothing. Or why there were none: what was to be theirs did not become free,
    or the autoscaler may start no nodes that have it.
    """
    from ray.train.v2._internal.exceptions import (
        InsufficientClusterResourcesError,
        RayTrainError,
        WorkerGroupStartupTimeoutError,
    )

    match getattr(error, "controller_failure", None):
        case WorkerGroupStartupTimeoutError():
            return Postponed()
        case InsufficientClusterResourcesError():
            detail = "The training asks for more than the cluster has when all nodes are started that may be."
            return InvalidRequest(detail, "resources_unavailable")
    failures: dict[int, Exception] = getattr(error, "worker_failures", {})
    causes = [_cause(failure) for failure in failures.values()]
    ours = [cause for cause in causes if isinstance(cause, SynthGenError)]
    bugs = [cause for cause in causes if not isinstance(cause, RayError | RayTrainError | WorkerLost)]
    return next(iter(ours + bugs), WorkerLost())


def _cause(failure: Exception) -> BaseException:
    # A worker that no longer answers arrives wrapped in what its health check met.
    failure = getattr(failure, "health_check_failure", failure)
    return failure.cause if isinstance(failure, RayTaskError) else failure
