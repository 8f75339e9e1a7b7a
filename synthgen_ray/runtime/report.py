"""A process around `jobs/report.py`. The dispatcher imports this: what the work needs is imported where it is done."""

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.domain.entities import Assignment, MadeReport
from synthgen_ray.domain.log_context import about
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.teller import Teller
from synthgen_ray.runtime.tidying import tidy
from synthgen_ray.settings import Settings


def judge(assignment: Assignment, settings: Settings) -> MadeReport:
    """Raises: Cancelled; Unavailable; what the report raises."""
    from synthgen_ray.jobs.report import make_report
    from synthgen_ray.synthesizers.threads import compute_with

    write_logs(settings.log_format)
    compute_with(1)
    artifacts = open_artifacts(settings.artifacts_url, settings.data_dir)
    tidy(artifacts)
    with about(job_id=assignment.job.id, model_id=assignment.job.model_id):
        return make_report(assignment, artifacts, Teller(assignment.job).progress)
