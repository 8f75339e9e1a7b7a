"""The store: every query there is, one method a use case, one transaction a method."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import text

from synthgen_ray.domain.lifecycle import DEADLINES, JobType
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store.audit import Audits
from synthgen_ray.store.batches import Batches
from synthgen_ray.store.datasets import Datasets
from synthgen_ray.store.deadlines import begin_deadlines
from synthgen_ray.store.erasures import Erasures
from synthgen_ray.store.figures import Figures
from synthgen_ray.store.generations import Generations
from synthgen_ray.store.jobs import Jobs
from synthgen_ray.store.keys import Keys
from synthgen_ray.store.migrating import migrate
from synthgen_ray.store.models import Models
from synthgen_ray.store.observing import Observer, Unobserved
from synthgen_ray.store.once import Onces
from synthgen_ray.store.projects import Projects
from synthgen_ray.store.queue import Queue
from synthgen_ray.store.reports import Reports
from synthgen_ray.store.retention import Retentions
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.timekeeping import Timekeeping
from synthgen_ray.store.usage import Usages


class Store(
    Projects,
    Datasets,
    Models,
    Jobs,
    Generations,
    Batches,
    Reports,
    Usages,
    Onces,
    Keys,
    Audits,
    Queue,
    Figures,
    Erasures,
    Retentions,
    Timekeeping,
):
    """Metadata in SQL. Holds in memory only what the time is, and what never changes: any number of stores on one URL
    agree.

    What a caller of the API may reach takes the principal first, and its queries see what the principal may see.
    """

    def __init__(
        self,
        url: str,
        quotas: Quotas | None = None,
        deadlines: Mapping[JobType, timedelta] = DEADLINES,
        clock: Callable[[], datetime] | None = None,
        observer: Observer | None = None,
    ) -> None:
        """`clock` is the database's without one."""
        self._url = url
        self._sessions = Sessions(url)
        self._quotas = quotas or Quotas()
        self._deadlines = deadlines
        self._clock = clock or self._sessions.now
        self._observer = observer or Unobserved()
        self._ready = {}

    async def migrate(self) -> None:
        """Raises: SchemaTooNew; Unavailable."""
        await migrate(self._url)
        async with self._sessions.writing() as session:
            await self._sessions.set_clock(session)
            await begin_deadlines(session, self._clock())

    async def ping(self) -> None:
        """Raises: Unavailable, when the database does not answer."""
        async with self._sessions.reading() as session:
            await session.execute(text("SELECT 1"))

    async def dispose(self) -> None:
        await self._sessions.dispose()
