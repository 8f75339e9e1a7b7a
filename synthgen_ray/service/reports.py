"""Reports: how good and how private the rows of a model are."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Artifact, Job, Page
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.outputs import files_of
from synthgen_ray.domain.reports import ReportFormat, ReportParams
from synthgen_ray.service.files import Files
from synthgen_ray.service.looks import Looks
from synthgen_ray.service.queued import log_queued

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store


class Reports(Files):
    _store: "Store"
    _looks: Looks
    _nudge: Callable[[], None]

    async def create_report(
        self, principal: Principal, project_id: UUID, model_id: UUID, params: ReportParams, once: Once | None = None
    ) -> Made[Job]:
        """Queue a report of a ready model. It is a job: cancelled, retried and watched as all are."""
        made = await self._store.enqueue_report(principal, project_id, model_id, params, once)
        log_queued(made)
        self._nudge()
        return made

    async def list_reports(
        self, principal: Principal, project_id: UUID | None, model_id: UUID | None, limit: int, offset: int
    ) -> Page[Job]:
        return await self._store.list_reports(principal, project_id, model_id, limit, offset)

    async def get_report(self, principal: Principal, report_id: UUID) -> Job:
        """Raises: NotFound, for other jobs too."""
        return _report(await self._looks.job(principal, report_id))

    async def get_report_file(self, principal: Principal, report_id: UUID, form: ReportFormat) -> tuple[Job, Artifact]:
        """A completed report, and its page or its JSON.

        Raises: NotFound; Conflict, for a report that is not there yet or never will be; Gone.
        """
        report = _report(await self._store.get_job(principal, report_id))
        return report, await self.aside(self._artifacts.only, files_of(report), form.file)


def _report(job: Job) -> Job:
    if job.job_type is not JobType.REPORT:
        raise NotFound.of("report")
    return job
