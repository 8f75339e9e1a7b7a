"""What of the cluster a training gets, and what it can never get."""

from collections.abc import Mapping
from dataclasses import dataclass

from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.settings import Settings


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


def plan_workers(
    model_type: ModelType, resources: Resources, cluster: Mapping[str, float], settings: Settings
) -> Workers:
    """The workers of a training on a cluster of these resources.

    Raises: InvalidRequest, for more than there is: Ray would wait for it for ever.
    """
    training = settings.training
    is_shared = model_type is not ModelType.GAUSSIAN_COPULA  # of that there is nothing to share
    count = resources.num_workers or (training.num_workers if is_shared else 1)
    gpus = int(cluster.get("GPU", 0))
    if training.max_workers is None:
        _check_cluster(count, resources.use_gpu, gpus, cluster.get("CPU", 0), settings)
    elif count > training.max_workers:
        raise _unavailable(f"{count} workers and may have {training.max_workers}")
    if not is_shared:
        return Workers(count=1, cpus=training.cpus_per_worker, use_gpu=False)
    use_gpu = gpus >= count if resources.use_gpu is None else resources.use_gpu
    return Workers(count, training.cpus_per_worker, use_gpu)


def _check_cluster(count: int, use_gpu: bool | None, gpus: int, cpus: float, settings: Settings) -> None:
    if use_gpu and gpus < count:
        raise _unavailable(f"{count} GPUs and the cluster has {gpus}")
    ingress, sampler, each = settings.ingress, settings.sampler, settings.training.cpus_per_worker
    free = cpus - ingress.replicas * ingress.num_cpus - sampler.max_replicas * sampler.num_cpus
    if count * each > free:
        most = max(int(free / each), 0)
        raise _unavailable(f"{count * each} CPUs and the cluster has {free:g} for it, enough for {most} workers")


def _unavailable(what: str) -> InvalidRequest:
    return InvalidRequest(f"The training asks for {what}.", "resources_unavailable")
