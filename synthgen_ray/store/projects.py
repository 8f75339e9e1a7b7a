"""Queries on projects, and what a principal sees of anything that belongs to one."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.entities import Page, Project
from synthgen_ray.domain.errors import Conflict, NotFound
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.store.audit import record, record_all
from synthgen_ray.store.entities import to_project
from synthgen_ray.store.erasures import TO_ERASE, erase_artifacts, erase_jobs
from synthgen_ray.store.once import PROJECT, forget_calls, once_only
from synthgen_ray.store.paging import page
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import (
    ApiKeyProjectRow,
    ApiKeyRow,
    DatasetRow,
    DatasetVersionRow,
    JobRow,
    ModelRow,
    ProjectRow,
)


class Projects:
    _sessions: Sessions
    _clock: Callable[[], datetime]

    async def create_project(
        self, principal: Principal, name: str, description: str = "", once: Once | None = None
    ) -> Made[Project]:
        """Raises: Forbidden, for a key that is bound to projects."""
        principal.require_unbound()

        async def make(session: AsyncSession) -> Project:
            row = ProjectRow(name=name, description=description)
            session.add(row)
            await session.flush()
            await record(session, principal, Action.PROJECT_CREATE, row.id, row.id)
            return to_project(row)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, PROJECT, make)

    async def list_projects(self, principal: Principal, limit: int, offset: int) -> Page[Project]:
        seen = select(ProjectRow).where(sees(principal, ProjectRow.id))
        newest = seen.order_by(ProjectRow.created_at.desc(), ProjectRow.id)
        async with self._sessions.reading() as session:
            return await page(session, newest, limit, offset, to_project)

    async def get_project(self, principal: Principal, project_id: UUID) -> Project:
        """Raises: NotFound."""
        async with self._sessions.reading() as session:
            return to_project(await require_project(session, principal, project_id))

    async def change_project(
        self, principal: Principal, project_id: UUID, name: str | None, description: str | None
    ) -> Project:
        """Change what is not `None`. Raises: NotFound."""
        async with self._sessions.writing() as session:
            row = await require_project(session, principal, project_id)
            row.name = row.name if name is None else name
            row.description = row.description if description is None else description
            await session.flush()
            await record(session, principal, Action.PROJECT_CHANGE, row.id, row.id)
            return to_project(row)

    async def delete_project(self, principal: Principal, project_id: UUID, *, force: bool) -> None:
        """Delete a project and the keys to it alone, with `force` also all that it holds. Files are erased soon after.

        Raises: NotFound; Conflict, when it holds anything and `force` is not given.
        """
        async with self._sessions.writing() as session:
            row = await require_project(session, principal, project_id)
            models, datasets = ModelRow.project_id == project_id, DatasetRow.project_id == project_id
            if not force and await session.scalar(select(or_(exists().where(models), exists().where(datasets)))):
                detail = "The project holds datasets or models: delete them first, or all of it with ?force=true."
                raise Conflict(detail, "project_not_empty")
            of_project = select(JobRow).join(JobRow.model).where(models)
            # Locked before the models, in a claim's order: neither waits for the other for ever.
            jobs = list(await session.scalars(of_project.with_for_update(of=JobRow).options(TO_ERASE)))
            await erase_jobs(session, jobs, self._clock())
            tables = select(DatasetVersionRow.artifact_id).join(DatasetVersionRow.dataset).where(datasets)
            artifact_ids = list(await session.scalars(tables))
            imported = select(ModelRow.artifact_id).where(models, ModelRow.artifact_id.is_not(None))
            artifact_ids += [one for one in await session.scalars(imported) if one is not None]
            await session.execute(delete(ModelRow).where(models))
            await forget_calls(session, project_id, await _delete_keys(session, principal, project_id))
            await session.delete(row)
            await session.flush()
            artifact_ids += [job.artifact_id for job in jobs if job.artifact_id is not None]
            await erase_artifacts(session, artifact_ids, self._clock())
            await record(session, principal, Action.PROJECT_DELETE, project_id, project_id)


async def _delete_keys(session: AsyncSession, principal: Principal, project_id: UUID) -> list[UUID]:
    """Of a project that goes: bound to no other, they would be nobody's to see or to revoke."""
    bound, elsewhere = [
        select(ApiKeyProjectRow.api_key_id).where(where)
        for where in (ApiKeyProjectRow.project_id == project_id, ApiKeyProjectRow.project_id != project_id)
    ]
    gone = delete(ApiKeyRow).where(ApiKeyRow.id.in_(bound), ApiKeyRow.id.not_in(elsewhere)).returning(ApiKeyRow.id)
    key_ids = sorted(await session.scalars(gone))
    await record_all(session, Action.KEY_DELETE, [(principal, key_id, project_id) for key_id in key_ids])
    return key_ids


def sees(principal: Principal, project_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """What the principal may see of rows with this project: part of each query that names a row or lists some."""
    return true() if principal.projects is None else project_id.in_(principal.projects)


async def require_project(session: AsyncSession, principal: Principal, project_id: UUID) -> ProjectRow:
    row = await session.scalar(select(ProjectRow).where(ProjectRow.id == project_id, sees(principal, ProjectRow.id)))
    if row is None:
        raise NotFound.of("project")
    return row
