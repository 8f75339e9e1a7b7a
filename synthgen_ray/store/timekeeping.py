"""Which time may be trusted with what cannot be undone: outputs and events that go for their age."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update

from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ServerRow

LEAP = timedelta(days=1)


class Timekeeping:
    _sessions: Sessions
    _clock: Callable[[], datetime]
    _doubted_from: float | None = None  # by this process's monotonic clock

    async def ask_time(self) -> datetime | None:
        """The database's time; `None` while it may be wrong.

        That is while it was set lately, and when it leaps ahead of what was last known: by a clock that was set to some
        year to come, or since no server was there. Within a day somebody may set such a clock right; after that it is
        taken as it is.
        """
        async with self._sessions.writing() as session:
            await self._sessions.set_clock(session)
            now = self._clock()
            known_at = (await session.scalars(select(ServerRow.known_at))).one()
            leaps = known_at is not None and now - known_at > LEAP
            if not self._sessions.is_steady() or (leaps and not self._was_doubted_for(LEAP)):
                return None
            self._doubted_from = None
            await session.execute(update(ServerRow).values(known_at=now))
            return now

    def _was_doubted_for(self, long: timedelta) -> bool:
        self._doubted_from = time.monotonic() if self._doubted_from is None else self._doubted_from
        return time.monotonic() - self._doubted_from >= long.total_seconds()
