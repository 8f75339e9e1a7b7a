"""A process around `jobs/report.py`. The dispatcher imports this: what the work needs is imported where it is done."""

from synthgen_ray.domain.entities import Assignment, MadeReport
from synthgen_ray.runtime.stored import artifacts_of
from synthgen_ray.runtime.teller import Teller
from synthgen_ray.runtime.working import working_on
from synthgen_ray.settings import Settings


def judge(assignment: Assignment, settings: Settings) -> MadeReport:
    """Raises: Cancelled; Unavailable; what the report raises."""
    from synthgen_ray.jobs.report import make_report

    artifacts = artifacts_of(settings)
    with working_on(assignment.job, settings.log_format, artifacts, threads=1):
        return make_report(assignment, artifacts, Teller(assignment.job).progress)
