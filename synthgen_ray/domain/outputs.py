"""What a job has made, or why there is nothing to have."""

from synthgen_ray.domain.entities import Artifact, ArtifactSummary, Job
from synthgen_ray.domain.errors import Conflict, Gone
from synthgen_ray.domain.lifecycle import JobStatus, JobType

_NO_ROWS = {
    JobType.TRAIN: "A training has no rows to download: generate from its model first.",
    JobType.BATCH: "A batch puts its rows elsewhere: its config says where, as `output`.",
    JobType.REPORT: "A report has no rows: it is a page, at /api/reports/{id}/download.",
}


def rows_of(job: Job) -> Artifact:
    """The rows of a completed generation.

    Raises: Conflict, for a job that has no rows yet or never will; Gone, for one whose time is over.
    """
    if job.job_type in _NO_ROWS:
        raise Conflict(_NO_ROWS[job.job_type], "no_output")
    if artifact := _artifact_of(job):
        return artifact
    detail = f"The rows are no longer kept: ask again with the seed {job.seed}, which gives the same rows."
    raise Gone(detail, "artifact_expired")


def files_of(report: Job) -> Artifact:
    """The files of a completed report. Raises: as `rows_of`."""
    if artifact := _artifact_of(report):
        return artifact
    raise Gone("The report is no longer kept, but for its scores: ask for it again.", "artifact_expired")


def _artifact_of(job: Job) -> Artifact | None:
    """What a completed job has left behind, if it is kept. Raises: Conflict, for one that is not completed."""
    if job.is_cancelled:
        raise Conflict("The job was cancelled and has no output.", "cancelled")
    if job.status is JobStatus.FAILED:
        raise Conflict("The job failed and has no output; its error says why.", "job_failed")
    if job.status is not JobStatus.COMPLETED:
        raise Conflict(f"The job is {job.status}: download when its status is completed.", "not_ready")
    if isinstance(job.artifact, ArtifactSummary):
        raise TypeError("a job that was only looked at knows no parts of its file")
    return job.artifact
