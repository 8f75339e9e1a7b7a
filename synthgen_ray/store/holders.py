"""Whose key still lets in."""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.errors import Unauthenticated
from synthgen_ray.store.tables import ApiKeyRow, utc_now


def lets_in() -> ColumnElement[bool]:
    return or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > utc_now())


async def require_holder(session: AsyncSession, principal: Principal) -> None:
    """The gate remembers keys for some seconds, and an upload takes its time: the key may be gone by now.

    Raises: Unauthenticated.
    """
    if not await session.scalar(select(exists().where(ApiKeyRow.id == principal.key_id, lets_in()))):
        raise Unauthenticated.of_key()
