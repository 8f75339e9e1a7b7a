"""Which time may be trusted with what cannot be undone: outputs and events that go for their age."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ServerRow

LEAP = timedelta(days=1)


class Timekeeping:
    _sessions: Sessions
    _clock: Callable[[], datetime]

    async def ask_time(self) -> datetime | None:
        """The database's time; `None` while it may be wrong.

        That is while it was set lately, and for a day after it leapt ahead of what it was before: by a clock that was
        set to some year to come, or since no server was there. Within that day, in which servers may start anew or be
        off for hours, somebody may set such a clock right; after that it is taken as it is, though it leapt again:
        where servers are started each third day, each start is a leap.
        """
        async with self._sessions.writing() as session:
            await self._sessions.set_clock(session)
            if not self._sessions.is_steady():
                return None
            now = self._clock()
            server = (await session.scalars(select(ServerRow))).one()
            if server.doubted_at is not None:
                if not timedelta(0) <= now - server.doubted_at < LEAP:
                    server.doubted_at = None
            elif server.known_at is not None and now - server.known_at > LEAP:
                server.doubted_at = now
            server.known_at = now
            return None if server.doubted_at else now
