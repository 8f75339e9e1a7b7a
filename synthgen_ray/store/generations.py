"""Rows that are asked for: as a job, or at once."""

import logging
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.columns import LearnedColumn, check_same_columns
from synthgen_ray.domain.entities import Artifact, DrawRequest, Job
from synthgen_ray.domain.errors import NotFound, SynthGenError, frames_of
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.params import DrawParams, GenerateParams, ImputeParams
from synthgen_ray.domain.widths import check_room
from synthgen_ray.store.audit import record_all
from synthgen_ray.store.datasets import require_version
from synthgen_ray.store.enqueuing import Enqueuing
from synthgen_ray.store.entities import COLUMNS, LEARNED_COLUMNS, to_artifact
from synthgen_ray.store.models import check_asked, learned_by, require_model, require_ready
from synthgen_ray.store.once import JOB, once_only
from synthgen_ray.store.projects import sees
from synthgen_ray.store.tables import ArtifactRow, ModelRow
from synthgen_ray.store.usage import Allowance, add_usage, check_generation, check_queue, find_allowance

log = logging.getLogger(__name__)
Seen = tuple[frozenset[UUID] | None, UUID]  # a model, and the projects of who asks for it
Ready = tuple[ModelRow, tuple[LearnedColumn, ...]]
MOST_READY = 200  # models that are remembered: of one with hundreds of columns what it has learnt is a megabyte
_TO_DRAW = (undefer(ModelRow.learned_columns), joinedload(ModelRow.artifact).undefer(ArtifactRow.parts))


class Generations(Enqueuing):
    _ready: dict[Seen, Ready]  # whose rows were asked for lately

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
            num_rows, form = params.num_rows, params.format
            model = await require_ready(session, principal, model_id, params, num_rows=num_rows, form=form)
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
            check_room(version.num_rows, model.chunk_rows or 1, learned, params.format)
            names = [column.name for column in COLUMNS.validate_python(version.columns)]
            check_same_columns(names, learned)
            await self._check_quotas(session, model, version.num_rows)
            config = {**params.model_dump(mode="json"), "num_rows": version.num_rows}
            return await self._enqueue(session, principal, model, JobType.GENERATE, config)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def admit_draws(self, asked: Sequence[DrawRequest]) -> list[tuple[Artifact, int] | SynthGenError]:
        """For each the file and the chunk rows of a ready model that can obey the conditions, and its rows count from
        now; or why not, which keeps none of the others: NotFound; Conflict, when the model is not ready;
        InvalidRequest, for the conditions; TooLarge; TooMany.

        In one transaction: alone each takes five milliseconds of the only writer's time, beside others one.
        """
        answers: list[tuple[Artifact, int] | SynthGenError] = []
        admitted: list[tuple[Principal, UUID, UUID | None]] = []
        there: set[Seen] = set()
        rows: Counter[UUID] = Counter()  # of each project
        allowances: dict[UUID, Allowance] = {}
        found = await self._found(asked)
        refused = [answer for answer in found if isinstance(answer, SynthGenError)]
        if len(refused) == len(found):
            return [*refused]
        async with self._sessions.writing() as session:
            for draw, model in zip(asked, found, strict=True):
                try:
                    if isinstance(model, SynthGenError):
                        raise model
                    if (seen := _seen(draw)) not in there:
                        await self._require_still(session, draw)
                        there.add(seen)
                    project_id, num_rows = model.project_id, rows[model.project_id] + draw.params.num_rows
                    if project_id not in allowances:
                        allowances[project_id] = await find_allowance(session, project_id, self._quotas)
                    allowances[project_id].check(num_rows)
                except SynthGenError as error:
                    answers.append(error)
                    continue
                if model.artifact is None:
                    raise LookupError(f"model {model.id} is ready and has no artifact")
                rows[project_id] = num_rows
                admitted.append((draw.principal, model.id, project_id))
                answers.append((to_artifact(model.artifact), model.chunk_rows or 0))
            for project_id, drawn in rows.items():
                await add_usage(session, project_id, rows=drawn)
            await record_all(session, Action.MODEL_SAMPLE, admitted)
        return answers

    async def give_back(self, asked: Sequence[DrawRequest]) -> list[None]:
        """Have rows count no more that were admitted and of which none came; of a model that is gone they stay counted.

        In one transaction, as they were admitted: whoever is refused asks again soon.
        """
        ids = {draw.model_id for draw in asked}
        async with self._sessions.writing() as session:
            found = await session.execute(select(ModelRow.id, ModelRow.project_id).where(ModelRow.id.in_(ids)))
            project_of = {row.id: row.project_id for row in found}
            rows: Counter[UUID] = Counter()
            for draw in asked:
                if draw.model_id in project_of:
                    rows[project_of[draw.model_id]] += draw.params.num_rows
            for project_id, returned in rows.items():
                await add_usage(session, project_id, rows=-returned)
        return [None] * len(asked)

    async def _found(self, asked: Sequence[DrawRequest]) -> list[ModelRow | SynthGenError]:
        """For each the model and its file, if it is ready and can do what is asked; or why not.

        Before the writer's turn, which all others wait for: of a model that is ready nothing changes but that it goes.
        So one that was found lately is not looked for, unless that would only say why not.
        """
        remembered = [self._remembered(draw) for draw in asked]
        if None not in remembered:
            return [model for model in remembered if model]
        found: list[ModelRow | SynthGenError] = []
        models: dict[Seen, Ready] = {}
        async with self._sessions.reading() as session:
            for draw in asked:
                try:
                    if (seen := _seen(draw)) not in models:
                        model = await require_model(session, draw.principal, draw.model_id, *_TO_DRAW)
                        models[seen] = model, learned_by(model)
                    check_asked(*models[seen], draw.params, draw.params.num_rows, draw.format)
                    found.append(models[seen][0])
                except SynthGenError as error:
                    found.append(error)
                except (ValueError, LookupError, TypeError) as error:  # as of a job that is claimed
                    with about(model_id=draw.model_id):
                        log.error("model %s cannot be read: %s", draw.model_id, frames_of(error))
                    found.append(SynthGenError("The model's record cannot be read.", "unreadable_model"))
        if len(self._ready) + len(models) > MOST_READY:
            self._ready.clear()
        self._ready |= models
        return found

    def _remembered(self, draw: DrawRequest) -> ModelRow | None:
        """One that whoever sees the same projects has found, and that can do what is asked."""
        model, columns = self._ready.get(_seen(draw), (None, ()))
        if model is not None:
            try:
                check_asked(model, columns, draw.params, draw.params.num_rows, draw.format)
            except SynthGenError:  # if it is still there
                return None
        return model

    async def _require_still(self, session: AsyncSession, draw: DrawRequest) -> None:
        """Raises: NotFound."""
        seen = select(ModelRow.id).where(ModelRow.id == draw.model_id, sees(draw.principal, ModelRow.project_id))
        if await session.scalar(seen) is None:
            self._ready.pop(_seen(draw), None)
            raise NotFound.of("model")

    async def _check_quotas(self, session: AsyncSession, model: ModelRow, rows: int) -> None:
        await check_queue(session, model.project_id, self._quotas)
        await check_generation(session, model.project_id, self._quotas, rows)


def _seen(draw: DrawRequest) -> Seen:
    return draw.principal.projects, draw.model_id
