"""Folders to erase: remembered in the transaction that orphans them, so that none is forgotten."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ErasureRow, utc_now


class Erasures:
    _sessions: Sessions

    async def list_erasures(self) -> tuple[str, ...]:
        due = select(ErasureRow.location).where(ErasureRow.not_before <= utc_now())
        async with self._sessions.reading() as session:
            return tuple(await session.scalars(due))

    async def erased(self, locations: tuple[str, ...]) -> None:
        async with self._sessions.writing() as session:
            await session.execute(delete(ErasureRow).where(ErasureRow.location.in_(locations)))


async def erase_later(session: AsyncSession, location: str, delay: timedelta = timedelta(0)) -> None:
    await session.merge(ErasureRow(location=location, not_before=utc_now() + delay))
