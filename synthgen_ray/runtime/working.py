"""How each process begins that works on one job, or leads others that do."""

from collections.abc import Iterator
from contextlib import contextmanager

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.log_context import about
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.tidying import tidy
from synthgen_ray.settings import LogFormat


def begin_work(log_format: LogFormat, artifacts: Artifacts, threads: int | None = None) -> None:
    """This process's lines are ours from now on, and its machine is tidy. `threads` are for who computes."""
    write_logs(log_format)
    tidy(artifacts)
    if threads is not None:
        from synthgen_ray.synthesizers.numerics.threads import compute_with

        compute_with(threads)


@contextmanager
def working_on(job: Job, log_format: LogFormat, artifacts: Artifacts, threads: int | None = None) -> Iterator[None]:
    """The same, and inside the lines are about the job."""
    begin_work(log_format, artifacts, threads)
    with about(job_id=job.id, model_id=job.model_id):
        yield
