"""A page of a list, and how many there are in all."""

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.entities import Page

R = TypeVar("R")
T = TypeVar("T")


async def page(session: AsyncSession, matching: Select[R], limit: int, offset: int, show: Callable[[R], T]) -> Page[T]:
    """Of what matches, in its order."""
    rows = await session.scalars(matching.limit(limit).offset(offset))
    return Page(tuple(map(show, rows)), await count(session, matching))


async def count(session: AsyncSession, matching: Select[Any]) -> int:
    return await session.scalar(select(func.count()).select_from(matching.order_by(None).subquery())) or 0
