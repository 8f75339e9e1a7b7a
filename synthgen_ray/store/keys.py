"""Queries on API keys. A key is known by its hash alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from synthgen_ray.domain.access import ApiKey, Principal, Role
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.entities import Page
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.store.audit import record
from synthgen_ray.store.holders import lets_in, sees_key
from synthgen_ray.store.once import API_KEY, once_only
from synthgen_ray.store.paging import page
from synthgen_ray.store.projects import require_project
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ApiKeyProjectRow, ApiKeyRow


class Keys:
    _sessions: Sessions

    async def set_admin_key(self, sha256: str) -> None:
        """Make this the key that comes with the server; the one before it stops working."""
        async with self._sessions.writing() as session:
            if await session.scalar(select(ApiKeyRow.id).where(ApiKeyRow.sha256 == sha256, ApiKeyRow.is_bootstrap)):
                return
            await session.execute(delete(ApiKeyRow).where(or_(ApiKeyRow.is_bootstrap, ApiKeyRow.sha256 == sha256)))
            session.add(ApiKeyRow(name="admin", sha256=sha256, role=Role.ADMIN, is_bootstrap=True))

    async def find_admission(self, sha256: str) -> Principal | None:
        """Whom a key lets in; `None` for one that is not known or has expired."""
        wanted = select(ApiKeyRow).where(ApiKeyRow.sha256 == sha256, lets_in())
        wanted = wanted.options(selectinload(ApiKeyRow.bindings))
        async with self._sessions.reading() as session:
            row = await session.scalar(wanted)
            return Principal(row.id, row.role, _projects(row), row.expires_at) if row else None

    async def create_key(
        self,
        principal: Principal,
        name: str,
        role: Role,
        projects: frozenset[UUID] | None,
        expires_at: datetime | None,
        sha256: str,
        once: Once | None = None,
    ) -> Made[ApiKey]:
        """It expires no later than the key that makes it, and goes on working when that one is revoked.

        Raises: Forbidden, for a scope wider than the principal's; NotFound, for a project.
        """
        principal.require_covers(projects)

        async def make(session: AsyncSession) -> ApiKey:
            for project_id in projects or ():
                await require_project(session, principal, project_id)
            bindings = [ApiKeyProjectRow(project_id=one) for one in projects or ()]
            row = ApiKeyRow(
                name=name,
                sha256=sha256,
                role=role,
                is_bound=projects is not None,
                expires_at=principal.lifetime_of(expires_at),
                bindings=bindings,
            )
            session.add(row)
            await session.flush()
            await record(session, principal, Action.KEY_CREATE, row.id, _only_one(projects))
            return _to_key(row)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, API_KEY, make)

    async def list_keys(self, principal: Principal, limit: int, offset: int) -> Page[ApiKey]:
        newest = select(ApiKeyRow).where(sees_key(principal)).order_by(ApiKeyRow.created_at.desc(), ApiKeyRow.id)
        async with self._sessions.reading() as session:
            return await page(session, newest.options(selectinload(ApiKeyRow.bindings)), limit, offset, _to_key)

    async def delete_key(self, principal: Principal, key_id: UUID) -> None:
        """Revoke a key. The one that comes with the server is not among them: its file says which it is.

        Raises: NotFound.
        """
        wanted = select(ApiKeyRow).where(ApiKeyRow.id == key_id, sees_key(principal))
        async with self._sessions.writing() as session:
            row = await session.scalar(wanted.options(selectinload(ApiKeyRow.bindings)))
            if row is None:
                raise NotFound.of("key")
            await record(session, principal, Action.KEY_DELETE, key_id, _only_one(_projects(row)))
            await session.execute(delete(ApiKeyRow).where(ApiKeyRow.id == key_id))


def _only_one(projects: frozenset[UUID] | None) -> UUID | None:
    """The project of a key that is bound to a single one."""
    return next(iter(projects)) if projects and len(projects) == 1 else None


def _projects(row: ApiKeyRow) -> frozenset[UUID] | None:
    return frozenset(binding.project_id for binding in row.bindings) if row.is_bound else None


def _to_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        role=row.role,
        projects=_projects(row),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
