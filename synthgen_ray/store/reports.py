"""Queries on reports: jobs, of a type of their own."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.columns import FRESH
from synthgen_ray.domain.entities import Job, Page
from synthgen_ray.domain.errors import Conflict, InvalidRequest, NotFound
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.outputs import rows_of
from synthgen_ray.domain.params import DrawParams, GenerateParams
from synthgen_ray.domain.reports import MIN_ROWS, ReportParams
from synthgen_ray.store.enqueuing import Enqueuing
from synthgen_ray.store.entities import LEARNED_COLUMNS, to_job
from synthgen_ray.store.jobs import jobs_in, page_of_jobs, visible_jobs
from synthgen_ray.store.models import require_ready
from synthgen_ray.store.once import JOB, once_only
from synthgen_ray.store.projects import require_project
from synthgen_ray.store.tables import JobRow, ModelRow
from synthgen_ray.store.usage import check_queue, check_storage


class Reports(Enqueuing):
    async def enqueue_report(
        self, principal: Principal, project_id: UUID, model_id: UUID, params: ReportParams, once: Once | None = None
    ) -> Made[Job]:
        """Write a report of a ready model that was trained here.

        Raises: NotFound, for the project, the model or the generation; Conflict, when one of these two is not ready, or
        the model has no table; Gone, for rows that are no longer kept; InvalidRequest, when they are another project's,
        another model's, no generation's or rebalanced, or there is no such target; TooMany and Unavailable, over a
        quota.
        """

        async def make(session: AsyncSession) -> Job:
            await require_project(session, principal, project_id)
            model = await require_ready(session, principal, model_id, DrawParams())
            _check_model(model, project_id, params.target)
            config = params.model_dump(mode="json")
            if params.synthgen_job_id:
                generation = await _require_rows(session, principal, model_id, params.synthgen_job_id)
                config["synthgen_job_id"] = str(generation.id)
            await check_queue(session, project_id, self._quotas)
            await check_storage(session, project_id, self._quotas, 0)
            return await self._enqueue(session, principal, model, JobType.REPORT, config)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def list_reports(
        self, principal: Principal, project_id: UUID | None, model_id: UUID | None, limit: int, offset: int
    ) -> Page[Job]:
        """Newest first."""
        reports = jobs_in(principal, project_id, model_id).where(JobRow.job_type == JobType.REPORT)
        async with self._sessions.reading() as session:
            return await page_of_jobs(session, reports, limit, offset)


def _check_model(model: ModelRow, project_id: UUID, target: str | None) -> None:
    if model.project_id != project_id:
        raise InvalidRequest("The model belongs to another project than project_id.", "project_mismatch")
    if model.dataset_version_id is None:
        detail = (
            f"Model '{model.name}' was imported: without the table that it learnt there is nothing to compare with."
        )
        raise Conflict(detail, "no_training_table")
    kinds = {column.name: column.kind for column in LEARNED_COLUMNS.validate_python(model.learned_columns)}
    if target is not None and target not in kinds:
        raise InvalidRequest(f"The target '{target}' is no column of the model.", "unknown_column")
    if target is not None and kinds[target] in FRESH:
        detail = f"The target '{target}' is an id, a text or personal data: it is made afresh, and nothing tells it."
        raise InvalidRequest(detail, "unknown_column")


async def _require_rows(session: AsyncSession, principal: Principal, model_id: UUID, job_id: UUID) -> Job:
    """The generation, by either of its ids."""
    row = await session.scalar(visible_jobs(principal, (job_id,)))
    if row is None:
        raise NotFound.of("job")
    if row.model_id != model_id:
        raise InvalidRequest("synthgen_job_id is a job of another model than entity_id.", "model_mismatch")
    generation = to_job(row)
    rows = rows_of(generation)
    if generation.dataset_version_id:
        raise InvalidRequest("synthgen_job_id is an imputation, whose rows are real ones.", "not_synthetic")
    if GenerateParams.model_validate(generation.config).distribution:
        detail = (
            "The generation has a distribution, so that its rows have other shares than the real ones by intent: ask"
            " for a report on one without."
        )
        raise InvalidRequest(detail, "rebalanced_rows")
    if rows.num_rows < MIN_ROWS:
        raise InvalidRequest(f"The generation has {rows.num_rows} rows; a report needs {MIN_ROWS}.", "too_few_rows")
    return generation
