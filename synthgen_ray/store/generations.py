"""Rows that are asked for: as a job, or at once."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.columns import check_same_columns
from synthgen_ray.domain.entities import Artifact, Job
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.params import DrawParams, GenerateParams, ImputeParams, SampleParams
from synthgen_ray.domain.widths import check_room
from synthgen_ray.store.audit import record
from synthgen_ray.store.datasets import require_version
from synthgen_ray.store.enqueuing import Enqueuing
from synthgen_ray.store.entities import COLUMNS, LEARNED_COLUMNS, to_artifact
from synthgen_ray.store.models import require_ready
from synthgen_ray.store.once import JOB, once_only
from synthgen_ray.store.tables import ModelRow
from synthgen_ray.store.usage import add_usage, check_generation, check_queue


class Generations(Enqueuing):
    async def enqueue_generate(
        self,
        principal: Principal,
        model_id: UUID,
        params: GenerateParams,
        once: Once | None = None,
    ) -> Made[Job]:
        """Write a generation of a ready model that can obey the conditions.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooLarge;
        TooMany and Unavailable, over a quota.
        """

        async def make(session: AsyncSession) -> Job:
            model = await require_ready(session, principal, model_id, params, num_rows=params.num_rows)
            await self._check_quotas(session, model, params.num_rows)
            return await self._enqueue(session, principal, model, JobType.GENERATE, params.model_dump(mode="json"))

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def enqueue_impute(
        self, principal: Principal, model_id: UUID, params: ImputeParams, once: Once | None = None
    ) -> Made[Job]:
        """Write a generation whose rows are those of a table of the model's project, with its missing cells filled.

        Raises: NotFound, for the model or the table; Conflict, when the model is not ready; InvalidRequest, when the
        table is another project's or lacks a column; TooLarge; TooMany and Unavailable, over a quota.
        """

        async def make(session: AsyncSession) -> Job:
            model = await require_ready(session, principal, model_id, DrawParams())
            version = await require_version(session, principal, params.dataset_version_id, model.project_id)
            learned = LEARNED_COLUMNS.validate_python(model.learned_columns)
            check_room(version.num_rows, model.chunk_rows or 1, learned)
            names = [column.name for column in COLUMNS.validate_python(version.columns)]
            check_same_columns(names, learned)
            await self._check_quotas(session, model, version.num_rows)
            config = {**params.model_dump(mode="json"), "num_rows": version.num_rows}
            return await self._enqueue(session, principal, model, JobType.GENERATE, config)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def admit_draw(self, principal: Principal, model_id: UUID, params: SampleParams) -> tuple[Artifact, int]:
        """The file and the chunk rows of a ready model that can obey the conditions; the rows count from now.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooLarge;
        TooMany.
        """
        async with self._sessions.writing() as session:
            artifact = joinedload(ModelRow.artifact)
            model = await require_ready(session, principal, model_id, params, artifact, num_rows=params.num_rows)
            await check_generation(session, model.project_id, self._quotas, params.num_rows)
            await add_usage(session, model.project_id, rows=params.num_rows)
            await record(session, principal, Action.MODEL_SAMPLE, model.id, model.project_id)
            if model.artifact is None:
                raise LookupError(f"model {model.id} is ready and has no artifact")
            return to_artifact(model.artifact), model.chunk_rows or 0

    async def _check_quotas(self, session: AsyncSession, model: ModelRow, rows: int) -> None:
        await check_queue(session, model.project_id, self._quotas)
        await check_generation(session, model.project_id, self._quotas, rows)
