"""Queries on projects."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.entities import Page, Project
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.store.entities import to_project
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ProjectRow


class Projects:
    _sessions: Sessions

    async def create_project(self, name: str, description: str = "") -> Project:
        row = ProjectRow(name=name, description=description)
        async with self._sessions.writing() as session:
            session.add(row)
            await session.flush()
            return to_project(row)

    async def list_projects(self, limit: int, offset: int) -> Page[Project]:
        newest = select(ProjectRow).order_by(ProjectRow.created_at.desc(), ProjectRow.id).limit(limit).offset(offset)
        async with self._sessions.reading() as session:
            total = await session.scalar(select(func.count()).select_from(ProjectRow))
            rows = await session.scalars(newest)
            return Page(tuple(map(to_project, rows)), total or 0)


async def require_project(session: AsyncSession, project_id: UUID) -> ProjectRow:
    row = await session.get(ProjectRow, project_id)
    if row is None:
        raise NotFound.of("project")
    return row
