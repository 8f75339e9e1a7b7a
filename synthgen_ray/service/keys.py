"""API keys."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from synthgen_ray.domain.access import ApiKey, Principal, Role
from synthgen_ray.domain.entities import Page
from synthgen_ray.domain.errors import Conflict
from synthgen_ray.domain.keys import key_hash, new_key
from synthgen_ray.domain.once import Once

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store


class Keys:
    _store: "Store"

    async def create_key(
        self,
        principal: Principal,
        name: str,
        role: Role,
        projects: frozenset[UUID] | None,
        expires_at: datetime | None,
        once: Once | None = None,
    ) -> tuple[ApiKey, str]:
        """What is known of the new key, and the key itself, which is kept nowhere.

        Raises: Conflict, for a call that made its key before: it cannot be shown again.
        """
        key = new_key()
        made = await self._store.create_key(principal, name, role, projects, expires_at, key_hash(key), once)
        if made.replayed:
            detail = f"This call made the key {made.value.id} before, and a key is shown once: revoke it, make another."
            raise Conflict(detail, "key_shown_before")
        return made.value, key

    async def list_keys(self, principal: Principal, limit: int, offset: int) -> Page[ApiKey]:
        return await self._store.list_keys(principal, limit, offset)

    async def delete_key(self, principal: Principal, key_id: UUID) -> None:
        await self._store.delete_key(principal, key_id)
