"""Who did what."""

from typing import TYPE_CHECKING
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action, AuditEvent, ShownEvent
from synthgen_ray.domain.entities import Page

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store


class Audits:
    _store: "Store"

    async def list_audit(self, principal: Principal, limit: int, offset: int) -> Page[AuditEvent | ShownEvent]:
        return await self._store.list_audit(principal, limit, offset)

    async def record_download(self, principal: Principal, action: Action, object_id: UUID, project_id: UUID) -> None:
        """Before a file leaves. Raises: Unavailable: none leaves unseen."""
        await self._store.record_read(principal, action, object_id, project_id)
