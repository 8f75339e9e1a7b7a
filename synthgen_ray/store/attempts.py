"""Writes that count only while an attempt holds its job."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from synthgen_ray.store.moves import held
from synthgen_ray.store.observing import Observer
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import JobRow


class Attempts:
    _sessions: Sessions
    _clock: Callable[[], datetime]
    _observer: Observer

    async def _write_held(
        self, job_id: UUID, attempt: int, values: dict[str, Any], *, lease: timedelta | None = None
    ) -> bool:
        """False when the attempt is superseded or cancelled: then nothing is changed. `lease` begins anew."""
        async with self._sessions.updating() as session:
            if lease:
                values = {**values, "lease_expires_at": self._clock() + lease}
            write = update(JobRow).where(held(job_id, attempt)).values(values).returning(JobRow.id)
            is_held = await session.scalar(write) is not None
        if not is_held:
            self._observer.write_fenced()
        return is_held
