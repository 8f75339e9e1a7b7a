"""Queries on datasets and their versions."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Dataset, DatasetVersion, Page, VersionSummary
from synthgen_ray.domain.errors import Conflict, InvalidRequest, NotFound
from synthgen_ray.domain.lifecycle import UNFINISHED, JobType
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store.audit import record
from synthgen_ray.store.entities import COLUMNS, as_json, to_artifact, to_artifact_row, to_dataset, to_version
from synthgen_ray.store.erasures import erase_artifacts
from synthgen_ray.store.holders import require_holder
from synthgen_ray.store.once import DATASET_VERSION, once_only
from synthgen_ray.store.paging import count
from synthgen_ray.store.projects import require_project, sees
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, DatasetRow, DatasetVersionRow, JobRow, ModelRow
from synthgen_ray.store.usage import check_storage

# All that a DatasetVersion shows, in one query.
FULL_VERSION = (
    joinedload(DatasetVersionRow.dataset),
    joinedload(DatasetVersionRow.artifact).undefer(ArtifactRow.parts),
)
# The columns are counted where they are: to read those of a page of wide tables takes the database's process seconds.
SUMMARIES = select(
    DatasetVersionRow.id,
    DatasetVersionRow.dataset_id,
    DatasetVersionRow.version,
    DatasetVersionRow.num_rows,
    func.json_array_length(DatasetVersionRow.columns).label("num_columns"),
    ArtifactRow.size_bytes,
    DatasetVersionRow.created_at,
).join(DatasetVersionRow.artifact)


class Datasets:
    _sessions: Sessions
    _clock: Callable[[], datetime]
    _quotas: Quotas

    async def add_dataset_version(
        self,
        principal: Principal,
        project_id: UUID,
        name: str,
        description: str,
        artifact: Artifact,
        columns: tuple[Column, ...],
        warnings: tuple[str, ...],
        dataset_id: UUID | None = None,
        once: Once | None = None,
    ) -> Made[DatasetVersion]:
        """Register a published table: version 0 of a new dataset, or the next of `dataset_id`.

        Raises: NotFound, when the project or the dataset in it does not exist; TooMany, over a quota.
        """

        async def make(session: AsyncSession) -> DatasetVersion:
            await require_project(session, principal, project_id)
            await check_storage(session, project_id, self._quotas, artifact.size_bytes)
            dataset = await _dataset_to_grow(session, principal, project_id, name, description, dataset_id)
            row = DatasetVersionRow(
                dataset=dataset,
                version=await _next_version(session, dataset.id),
                artifact=to_artifact_row(artifact),
                num_rows=artifact.num_rows,
                columns=as_json(COLUMNS, columns),
                warnings=list(warnings),
            )
            session.add(row)
            await session.flush()
            await record(session, principal, Action.DATASET_UPLOAD, dataset.id, project_id)
            return to_version(row)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, DATASET_VERSION, make)

    async def require_upload_target(self, principal: Principal, project_id: UUID, dataset_id: UUID | None) -> None:
        """Refuse an upload before it is converted.

        Raises: NotFound, when the project or the dataset in it does not exist; TooMany, over a quota.
        """
        async with self._sessions.reading() as session:
            await require_project(session, principal, project_id)
            await check_storage(session, project_id, self._quotas, 0)
            if dataset_id is not None:
                await _require_dataset_of(session, principal, dataset_id, project_id)

    async def list_datasets(
        self, principal: Principal, project_id: UUID | None, limit: int, offset: int
    ) -> Page[Dataset]:
        wanted = sees(principal, DatasetRow.project_id)
        if project_id:
            wanted &= DatasetRow.project_id == project_id
        newest = select(DatasetRow).where(wanted).order_by(DatasetRow.created_at.desc(), DatasetRow.id)
        async with self._sessions.reading() as session:
            rows = list(await session.scalars(newest.limit(limit).offset(offset)))
            latest = await _latest_versions(session, [row.id for row in rows])
            return Page(tuple(to_dataset(row, latest[row.id]) for row in rows), await count(session, newest))

    async def get_dataset(self, principal: Principal, dataset_id: UUID) -> Dataset:
        """Raises: NotFound."""
        async with self._sessions.reading() as session:
            row = await _require_dataset(session, principal, dataset_id)
            return to_dataset(row, (await _latest_versions(session, [row.id]))[row.id])

    async def list_versions(
        self, principal: Principal, dataset_id: UUID, limit: int, offset: int
    ) -> Page[VersionSummary]:
        """Raises: NotFound."""
        newest = SUMMARIES.where(DatasetVersionRow.dataset_id == dataset_id).order_by(DatasetVersionRow.version.desc())
        async with self._sessions.reading() as session:
            await _require_dataset(session, principal, dataset_id)
            items = await _summaries(session, newest.limit(limit).offset(offset))
            return Page(items, await count(session, newest))

    async def get_version(
        self, principal: Principal, dataset_id: UUID, version: int | None
    ) -> tuple[DatasetVersion, Artifact]:
        """A version and its table; the latest for `None`. Raises: NotFound."""
        async with self._sessions.reading() as session:
            row = await _require_numbered(session, principal, dataset_id, version)
            return to_version(row), to_artifact(row.artifact)

    async def correct_version(
        self,
        principal: Principal,
        version_id: UUID,
        before: UUID,
        artifact: Artifact,
        columns: tuple[Column, ...],
        warnings: tuple[str, ...],
    ) -> DatasetVersion:
        """Put corrected columns, and their table, in the place of those with that artifact.

        Raises: Unauthenticated, for a key that is gone by now; NotFound; Conflict, when a model was trained on it, its
        gaps are being filled, or another correction came first; TooMany, over a quota.
        """
        async with self._sessions.writing() as session:
            await require_holder(session, principal)
            row = await session.scalar(_visible_versions(principal).where(DatasetVersionRow.id == version_id))
            if row is None:
                raise NotFound.of("dataset version")
            await _require_untrained(session, DatasetVersionRow.id == version_id)
            await _require_unfilled(session, row)
            if row.artifact_id != before:
                raise Conflict("Another correction came first: look at the columns again.", "changed_meanwhile")
            row.columns, row.warnings = as_json(COLUMNS, columns), list(warnings)
            more = artifact.size_bytes - row.artifact.size_bytes
            if more > 0:  # who has too much already may still make it less
                await check_storage(session, row.dataset.project_id, self._quotas, more)
            row.artifact = to_artifact_row(artifact)
            await session.flush()
            await erase_artifacts(session, [before], self._clock())
            await record(session, principal, Action.DATASET_CORRECT, row.dataset_id, row.dataset.project_id)
            return to_version(row)

    async def delete_dataset(self, principal: Principal, dataset_id: UUID) -> None:
        """Delete a dataset and its versions, for good. Their files are erased soon after.

        Raises: NotFound; Conflict, when a model was trained on one of them.
        """
        async with self._sessions.writing() as session:
            row = await _require_dataset(session, principal, dataset_id)
            of_dataset = DatasetVersionRow.dataset_id == dataset_id
            await _require_untrained(session, of_dataset)
            artifact_ids = list(await session.scalars(select(DatasetVersionRow.artifact_id).where(of_dataset)))
            await session.delete(row)
            await session.flush()
            await erase_artifacts(session, artifact_ids, self._clock())
            await record(session, principal, Action.DATASET_DELETE, dataset_id, row.project_id)


async def require_version(
    session: AsyncSession, principal: Principal, version_id: UUID, project_id: UUID
) -> DatasetVersionRow:
    """Raises: NotFound; InvalidRequest, for one of another project that the principal sees."""
    row = await session.scalar(_visible_versions(principal).where(DatasetVersionRow.id == version_id))
    if row is None:
        raise NotFound.of("dataset version")
    if row.dataset.project_id != project_id:
        raise InvalidRequest("The dataset version belongs to another project than project_id.", "project_mismatch")
    return row


def _visible_versions(principal: Principal) -> Select[DatasetVersionRow]:
    joined = select(DatasetVersionRow).join(DatasetVersionRow.dataset)
    return joined.where(sees(principal, DatasetRow.project_id)).options(*FULL_VERSION)


async def _require_numbered(
    session: AsyncSession, principal: Principal, dataset_id: UUID, version: int | None
) -> DatasetVersionRow:
    of_dataset = _visible_versions(principal).where(DatasetVersionRow.dataset_id == dataset_id)
    if version is not None:
        of_dataset = of_dataset.where(DatasetVersionRow.version == version)
    row: DatasetVersionRow | None = await session.scalar(of_dataset.order_by(DatasetVersionRow.version.desc()).limit(1))
    if row is None:
        raise NotFound.of("dataset version")
    return row


async def _dataset_to_grow(
    session: AsyncSession,
    principal: Principal,
    project_id: UUID,
    name: str,
    description: str,
    dataset_id: UUID | None,
) -> DatasetRow:
    if dataset_id is not None:
        return await _require_dataset_of(session, principal, dataset_id, project_id)
    dataset = DatasetRow(project_id=project_id, name=name, description=description)
    session.add(dataset)
    await session.flush()
    return dataset


async def _require_dataset(session: AsyncSession, principal: Principal, dataset_id: UUID) -> DatasetRow:
    seen = select(DatasetRow).where(DatasetRow.id == dataset_id, sees(principal, DatasetRow.project_id))
    row = await session.scalar(seen)
    if row is None:
        raise NotFound.of("dataset")
    return row


async def _require_dataset_of(
    session: AsyncSession, principal: Principal, dataset_id: UUID, project_id: UUID
) -> DatasetRow:
    seen = sees(principal, DatasetRow.project_id) & (DatasetRow.project_id == project_id)
    row = await session.scalar(select(DatasetRow).where(DatasetRow.id == dataset_id, seen))
    if row is None:
        raise NotFound.of("dataset in this project")
    return row


async def _require_untrained(session: AsyncSession, versions: ColumnElement[bool]) -> None:
    used = select(exists().where(ModelRow.dataset_version_id.in_(select(DatasetVersionRow.id).where(versions))))
    if await session.scalar(used):
        raise Conflict("A model was trained on it: delete its models first.", "in_use")


async def _require_unfilled(session: AsyncSession, version: DatasetVersionRow) -> None:
    # Each part of an imputation reads the file. As text: PostgreSQL cannot look into JSON that holds a NUL.
    fills = cast(JobRow.config, Text).contains(str(version.id))
    is_to_come = (JobRow.job_type == JobType.GENERATE) & JobRow.status.in_(UNFINISHED)
    if await session.scalar(select(exists().where(is_to_come, fills, JobRow.project_id == version.dataset.project_id))):
        raise Conflict("Its missing cells are being filled: wait for the end of that job, or cancel it.", "in_use")


async def _next_version(session: AsyncSession, dataset_id: UUID) -> int:
    newest = select(func.max(DatasetVersionRow.version)).where(DatasetVersionRow.dataset_id == dataset_id)
    last = await session.scalar(newest)
    return 0 if last is None else last + 1


async def _latest_versions(session: AsyncSession, dataset_ids: list[UUID]) -> dict[UUID, VersionSummary]:
    newest = (
        select(DatasetVersionRow.dataset_id, func.max(DatasetVersionRow.version).label("version"))
        .where(DatasetVersionRow.dataset_id.in_(dataset_ids))
        .group_by(DatasetVersionRow.dataset_id)
        .subquery()
    )
    is_newest = (DatasetVersionRow.dataset_id == newest.c.dataset_id) & (DatasetVersionRow.version == newest.c.version)
    found = await _summaries(session, SUMMARIES.join(newest, is_newest))
    return {version.dataset_id: version for version in found}


async def _summaries(session: AsyncSession, asked: Select[Any]) -> tuple[VersionSummary, ...]:
    return tuple(VersionSummary(**row) for row in (await session.execute(asked)).mappings())
