"""Queries on datasets and their versions."""

from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Dataset, DatasetVersion, Page
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.store.entities import COLUMNS, as_json, to_artifact_row, to_dataset, to_version
from synthgen_ray.store.projects import require_project
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import DatasetRow, DatasetVersionRow

# All that a DatasetVersion shows, in one query.
FULL_VERSION = (joinedload(DatasetVersionRow.dataset), joinedload(DatasetVersionRow.artifact))


class Datasets:
    _sessions: Sessions

    async def add_dataset_version(
        self,
        project_id: UUID,
        name: str,
        description: str,
        artifact: Artifact,
        columns: tuple[Column, ...],
        warnings: tuple[str, ...],
        dataset_id: UUID | None = None,
    ) -> DatasetVersion:
        """Register a published table: version 0 of a new dataset, or the next of `dataset_id`.

        Raises: NotFound, when the project or the dataset in it does not exist.
        """
        async with self._sessions.writing() as session:
            await require_project(session, project_id)
            if dataset_id is None:
                dataset = DatasetRow(project_id=project_id, name=name, description=description)
                session.add(dataset)
                await session.flush()
            else:
                dataset = await _require_dataset(session, dataset_id, project_id)
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
            return to_version(row)

    async def require_upload_target(self, project_id: UUID, dataset_id: UUID | None) -> None:
        """Refuse an upload before its bytes are taken in.

        Raises: NotFound, when the project or the dataset in it does not exist.
        """
        async with self._sessions.reading() as session:
            await require_project(session, project_id)
            if dataset_id is not None:
                await _require_dataset(session, dataset_id, project_id)

    async def list_datasets(self, project_id: UUID | None, limit: int, offset: int) -> Page[Dataset]:
        wanted = DatasetRow.project_id == project_id if project_id else true()
        newest = select(DatasetRow).where(wanted).order_by(DatasetRow.created_at.desc(), DatasetRow.id)
        async with self._sessions.reading() as session:
            total = await session.scalar(select(func.count()).select_from(DatasetRow).where(wanted))
            rows = list(await session.scalars(newest.limit(limit).offset(offset)))
            latest = await _latest_versions(session, [row.id for row in rows])
            return Page(tuple(to_dataset(row, latest[row.id]) for row in rows), total or 0)


async def require_version(session: AsyncSession, version_id: UUID, project_id: UUID) -> DatasetVersionRow:
    row = await session.get(DatasetVersionRow, version_id, options=FULL_VERSION)
    if row is None or row.dataset.project_id != project_id:
        raise NotFound.of("dataset version in this project")
    return row


async def _require_dataset(session: AsyncSession, dataset_id: UUID, project_id: UUID) -> DatasetRow:
    row = await session.get(DatasetRow, dataset_id)
    if row is None or row.project_id != project_id:
        raise NotFound.of("dataset in this project")
    return row


async def _next_version(session: AsyncSession, dataset_id: UUID) -> int:
    newest = select(func.max(DatasetVersionRow.version)).where(DatasetVersionRow.dataset_id == dataset_id)
    last = await session.scalar(newest)
    return 0 if last is None else last + 1


async def _latest_versions(session: AsyncSession, dataset_ids: list[UUID]) -> dict[UUID, DatasetVersion]:
    newest = (
        select(DatasetVersionRow.dataset_id, func.max(DatasetVersionRow.version).label("version"))
        .where(DatasetVersionRow.dataset_id.in_(dataset_ids))
        .group_by(DatasetVersionRow.dataset_id)
        .subquery()
    )
    is_newest = (DatasetVersionRow.dataset_id == newest.c.dataset_id) & (DatasetVersionRow.version == newest.c.version)
    rows = await session.scalars(select(DatasetVersionRow).join(newest, is_newest).options(*FULL_VERSION))
    return {row.dataset_id: to_version(row) for row in rows}
