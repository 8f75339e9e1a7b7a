"""How each process begins that works on one job, or leads others that do."""

from collections.abc import Iterator
from contextlib import contextmanager

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.log_context import about
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.tidying import tidy
from synthgen_ray.settings import LogFormat


@contextmanager
def working_on(job: Job, log_format: LogFormat, artifacts: Artifacts, threads: int | None = None) -> Iterator[None]:
    """Inside, this process's lines are ours and about the job; its machine is tidy. `threads` are for who computes."""
    write_logs(log_format)
    tidy(artifacts)
    if threads is not None:
        from synthgen_ray.synthesizers.threads import compute_with

        compute_with(threads)
    with about(job_id=job.id, model_id=job.model_id):
        yield
