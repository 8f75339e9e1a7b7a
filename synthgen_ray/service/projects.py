"""Projects, and what they use."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Page, Project, Usage
from synthgen_ray.domain.once import Made, Once

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store


class Projects:
    _store: "Store"
    _nudge: Callable[[], None]

    async def create_project(
        self, principal: Principal, name: str, description: str, once: Once | None = None
    ) -> Made[Project]:
        return await self._store.create_project(principal, name, description, once)

    async def list_projects(self, principal: Principal, limit: int, offset: int) -> Page[Project]:
        return await self._store.list_projects(principal, limit, offset)

    async def get_project(self, principal: Principal, project_id: UUID) -> Project:
        return await self._store.get_project(principal, project_id)

    async def change_project(
        self, principal: Principal, project_id: UUID, name: str | None, description: str | None
    ) -> Project:
        return await self._store.change_project(principal, project_id, name, description)

    async def delete_project(self, principal: Principal, project_id: UUID, *, force: bool) -> None:
        await self._store.delete_project(principal, project_id, force=force)
        self._nudge()

    async def get_usage(self, principal: Principal, project_id: UUID) -> Usage:
        return await self._store.get_usage(principal, project_id)
