"""The connection to SQL: one engine, three kinds of transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from synthgen_ray.domain.lifecycle import LEASE
from synthgen_ray.store.engines import engine_at, is_sqlite, snapshots
from synthgen_ray.store.outages import honest
from synthgen_ray.store.tables import utc_now

WRITERS = int.from_bytes(b"synthgen")  # the name of a lock: PostgreSQL has numbers for names
TURN_S = 60.0
JUMP = timedelta(seconds=5)  # more than clocks are corrected by between two looks
_BEGINNING = utc_now() - timedelta(seconds=time.monotonic())


class Sessions:
    """`reading()`, `writing()` and `updating()`: each is one transaction, and what fails in it never happened.

    Raises: Unavailable, when the database does not answer.
    """

    def __init__(self, url: str) -> None:
        self.engine = engine_at(url)
        self._is_sqlite = is_sqlite(self.engine)
        self._line = asyncio.Lock()
        # From one look at PostgreSQL's clock to the next it is reckoned by one of ours that nobody sets.
        self._own: Callable[[], datetime] = utc_now if self._is_sqlite else _running
        self._ahead = timedelta(0)
        self._steady_from: float | None = None  # not known before the first look
        self._write = async_sessionmaker(self.engine, expire_on_commit=False)
        self._read = async_sessionmaker(snapshots(self.engine), expire_on_commit=False)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Sees one state of the database from its first query to its last."""
        async with honest(), self._read.begin() as session:
            await self._know_clock(session)
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """One at a time, whoever writes from wherever: what it finds is true until it commits."""
        async with honest(), self._turn(), self._write.begin() as session:
            if not self._is_sqlite:  # whose BEGIN IMMEDIATE is such a lock
                await session.execute(select(func.pg_advisory_xact_lock(WRITERS)))
            await self._know_clock(session)
            yield session

    @asynccontextmanager
    async def updating(self) -> AsyncIterator[AsyncSession]:
        """Beside others, where the database can: for statements whose own WHERE says all that they rely on."""
        if self._is_sqlite:
            async with self.writing() as session:
                yield session
        else:
            async with honest(), self._write.begin() as session:
                await self._know_clock(session)
                yield session

    def now(self) -> datetime:
        """The database's time: the clocks of servers that share one may differ, and leases are for all of them."""
        return self._own() + self._ahead

    async def set_clock(self, session: AsyncSession) -> None:
        """Look how far the database's clock is ahead. SQLite's is this machine's."""
        if not self._is_sqlite:
            theirs: datetime = (await session.scalars(select(func.clock_timestamp()))).one()
            ahead = theirs - self._own()
            if self._steady_from is None:
                self._steady_from = time.monotonic()
            elif abs(ahead - self._ahead) > JUMP:
                self._steady_from = time.monotonic() + LEASE.total_seconds()
            self._ahead = ahead

    def is_steady(self) -> bool:
        """Whether the database's clock was not set lately: leases given before that look old, or too new, until who
        lives has renewed its own."""
        return self._steady_from is None or time.monotonic() >= self._steady_from

    async def _know_clock(self, session: AsyncSession) -> None:
        # Nobody's time is right before there was a look at it, such as a deadline's that a call writes.
        if self._steady_from is None:
            await self.set_clock(session)

    async def dispose(self) -> None:
        await self.engine.dispose()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        # The writers of a process wait in line here. Before SQLite's lock, which is not fair, some would time out;
        # before PostgreSQL's each would keep a connection from those who read.
        async with asyncio.timeout(TURN_S):
            await self._line.acquire()
        try:
            yield
        finally:
            self._line.release()


def _running() -> datetime:
    """What the time is since this process began, however its machine's clock is set."""
    return _BEGINNING + timedelta(seconds=time.monotonic())
