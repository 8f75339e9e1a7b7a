"""Whose key still lets in, and who knows of it."""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.errors import Unauthenticated
from synthgen_ray.store.tables import ApiKeyProjectRow, ApiKeyRow, utc_now


def lets_in() -> ColumnElement[bool]:
    return or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > utc_now())


def sees_key(principal: Principal) -> ColumnElement[bool]:
    """A bound key manages those that are bound to projects of its own, and to no other: what is bound to none any
    more may have been anybody's."""
    if principal.projects is None:
        return ~ApiKeyRow.is_bootstrap
    own, others = [
        select(ApiKeyProjectRow.api_key_id).where(where)
        for where in (
            ApiKeyProjectRow.project_id.in_(principal.projects),
            ApiKeyProjectRow.project_id.not_in(principal.projects),
        )
    ]
    return ApiKeyRow.id.in_(own) & ApiKeyRow.id.not_in(others)


async def require_holder(session: AsyncSession, principal: Principal) -> None:
    """The gate remembers keys for some seconds, and an upload takes its time: the key may be gone by now.

    Raises: Unauthenticated.
    """
    if not await session.scalar(select(exists().where(ApiKeyRow.id == principal.key_id, lets_in()))):
        raise Unauthenticated.of_key()
