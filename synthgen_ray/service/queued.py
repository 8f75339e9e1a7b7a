"""The line of the log by which a job is found from the request that asked for it."""

import logging

from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.once import Made

log = logging.getLogger(__name__)


def log_queued(made: Made[Job]) -> None:
    job = made.value
    with about(job_id=job.id, model_id=job.model_id):
        log.info("job %s (%s) was asked for%s", job.id, job.job_type, " before" if made.replayed else "")
