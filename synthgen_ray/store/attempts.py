"""Writes that count only while an attempt holds its job."""

from typing import Any
from uuid import UUID

from sqlalchemy import update

from synthgen_ray.store.moves import held
from synthgen_ray.store.observing import Observer
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import JobRow


class Attempts:
    _sessions: Sessions
    _observer: Observer

    async def _write_held(self, job_id: UUID, attempt: int, values: dict[str, Any]) -> bool:
        """False when the attempt is superseded or cancelled: then nothing is changed."""
        write = update(JobRow).where(held(job_id, attempt)).values(values).returning(JobRow.id)
        async with self._sessions.updating() as session:
            is_held = await session.scalar(write) is not None
        if not is_held:
            self._observer.write_fenced()
        return is_held
