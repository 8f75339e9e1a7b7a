"""What of the cluster a training gets, what it can never get, and what is free for the next job."""

from collections.abc import Collection
from dataclasses import dataclass

from synthgen_ray.domain.entities import Assignment, Job
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import TRAIN_PARAMS, ModelType, Resources
from synthgen_ray.runtime.nodes import Cluster
from synthgen_ray.runtime.spread import CPUS_EACH
from synthgen_ray.settings import Settings

REPORT_CPUS = 1


@dataclass(frozen=True)
class Workers:
    """What a training gets: so many workers, and CPUs for each."""

    count: int
    cpus: int
    use_gpu: bool

    @property
    def by_ray_train(self) -> bool:
        """Else it runs in the job's own process: for a single worker Ray Train would start five others around it,
        which take a GiB and some seconds."""
        return self.count > 1 or self.use_gpu


def plan_workers(model_type: ModelType, resources: Resources, cluster: Cluster, settings: Settings) -> Workers:
    """The workers of a training on a cluster.

    Raises: InvalidRequest, for more than there is: Ray would wait for it for ever.
    """
    training = settings.training
    is_shared = TRAIN_PARAMS[model_type].is_shared
    count = resources.num_workers or (training.num_workers if is_shared else 1)
    gpus = _gpus_for_jobs(cluster, settings)
    if training.max_workers is None:
        _check_cluster(count, resources.use_gpu, gpus, cluster, settings)
    elif count > training.max_workers:
        raise _unavailable(f"{count} workers and may have {training.max_workers}")
    if not is_shared:
        return Workers(count=1, cpus=training.cpus_per_worker, use_gpu=False)
    use_gpu = gpus >= count if resources.use_gpu is None else resources.use_gpu
    return Workers(count, training.cpus_per_worker, use_gpu)


def is_by_ray_data(generation: Job, settings: Settings) -> bool:
    """Else the samplers make it."""
    return bool(generation.config["num_rows"] > settings.generation.max_rows_by_samplers)


def types_with_room(running: Collection[Assignment], cluster: Cluster, settings: Settings) -> frozenset[JobType]:
    """The kinds of jobs of which the smallest one fits beside those that run. Where there are GPUs for trainings, that
    of a training takes one.

    One that asks for more than is free waits for it where it runs, and keeps others from being claimed before it. Where
    `max_workers` says that nodes come when asked for, what waits there is what asks for them: all kinds fit.
    """
    taken = [_taken_by(assignment, cluster, settings) for assignment in running]
    cpus, gpus = sum(cpus for cpus, _ in taken), sum(gpus for _, gpus in taken)
    if not cpus or settings.training.max_workers is not None:
        return frozenset(JobType)
    needs = {JobType.TRAIN: settings.training.cpus_per_worker, JobType.REPORT: REPORT_CPUS}
    free = _cpus_for_jobs(cluster, settings) - cpus
    fitting = frozenset(job_type for job_type in JobType if needs.get(job_type, 0) <= max(free, 0))
    return fitting if gpus < _gpus_for_jobs(cluster, settings) or not gpus else fitting - {JobType.TRAIN}


def _taken_by(assignment: Assignment, cluster: Cluster, settings: Settings) -> tuple[float, int]:
    """Its CPUs and GPUs."""
    job = assignment.job
    if job.job_type is JobType.GENERATE:  # samplers have their own
        return (CPUS_EACH * int(cluster.total("CPU")) if is_by_ray_data(job, settings) else 0), 0
    if job.job_type is JobType.REPORT:
        return REPORT_CPUS, 0
    try:
        workers = plan_workers(job.model_type, Resources.model_validate(assignment.resources), cluster, settings)
    except InvalidRequest:
        return 0, 0  # of a node that is away: it is about to be postponed
    return workers.count * workers.cpus, workers.count if workers.use_gpu else 0


def _cpus_for_jobs(cluster: Cluster, settings: Settings) -> float:
    """What the processes that serve leave."""
    ingress, sampler = settings.ingress, settings.sampler
    serving = ingress.replicas * ingress.num_cpus + sampler.max_replicas * sampler.num_cpus
    return round(cluster.total("CPU") - serving, 4)


def _places(cluster: Cluster, settings: Settings, **each: float) -> int:
    """For how many workers there is room beside what always serves. Samplers that come and go make room again."""
    ingress, sampler = settings.ingress, settings.sampler
    serving = [{"CPU": ingress.num_cpus}] * ingress.replicas
    serving += [{"CPU": sampler.num_cpus, "GPU": sampler.num_gpus}] * sampler.min_replicas
    return cluster.places(serving, **each)


def _gpus_for_jobs(cluster: Cluster, settings: Settings) -> int:
    """Such as a worker can have: beside its CPUs, and those that serve."""
    left = int(cluster.total("GPU") - settings.sampler.max_replicas * settings.sampler.num_gpus)
    return min(left, _places(cluster, settings, GPU=1, CPU=settings.training.cpus_per_worker))


def _check_cluster(count: int, use_gpu: bool | None, gpus: int, cluster: Cluster, settings: Settings) -> None:
    if use_gpu and gpus < count:
        raise _unavailable(f"{count} GPUs and the cluster has {max(gpus, 0)} for it")
    each, free = settings.training.cpus_per_worker, _cpus_for_jobs(cluster, settings)
    most = min(int(free / each), _places(cluster, settings, CPU=each))
    if count > most:
        of_each = f" of {each} on one node" if each > 1 else ""
        there = f"the cluster has {free:g} for it, enough for {max(most, 0)} workers{of_each}"
        raise _unavailable(f"{count * each} CPUs and {there}")


def _unavailable(what: str) -> InvalidRequest:
    return InvalidRequest(f"The training asks for {what}.", "resources_unavailable")
