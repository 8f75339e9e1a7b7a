"""Queries on API keys. A key is known by its hash alone."""

from sqlalchemy import delete, select

from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ApiKeyRow

ADMIN_KEY_NAME = "admin"


class Keys:
    _sessions: Sessions

    async def set_admin_key(self, sha256: str) -> None:
        """Make this the one admin key; the one before it stops working."""
        async with self._sessions.writing() as session:
            await session.execute(delete(ApiKeyRow).where(ApiKeyRow.name == ADMIN_KEY_NAME))
            session.add(ApiKeyRow(name=ADMIN_KEY_NAME, sha256=sha256, role="admin"))

    async def is_known_key(self, sha256: str) -> bool:
        async with self._sessions.reading() as session:
            return await session.scalar(select(ApiKeyRow.id).where(ApiKeyRow.sha256 == sha256)) is not None
