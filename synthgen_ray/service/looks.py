"""Jobs that many clients look at, found together."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.errors import NotFound

FindJobs = Callable[[Principal, Collection[UUID]], Awaitable[Mapping[UUID, Job]]]
Found = asyncio.Task[Mapping[UUID, Job]]


@dataclass
class _Look:
    found: Found
    job_ids: set[UUID] = field(default_factory=set)


class Looks:
    """One look at a time for all who see the same projects. Who asks while one is on its way shares the next one, so
    that a thousand who poll are a few queries, and each is answered by what was true after it asked.
    """

    def __init__(self, find_jobs: FindJobs) -> None:
        self._find_jobs = find_jobs
        self._next: dict[frozenset[UUID] | None, _Look] = {}
        self._last: dict[frozenset[UUID] | None, Found] = {}

    async def job(self, principal: Principal, job_id: UUID) -> Job:
        """Raises: NotFound; Unavailable."""
        look = self._next.get(principal.projects) or self._begin(principal)
        look.job_ids.add(job_id)
        found = await asyncio.shield(look.found)  # who leaves does not take the others along
        if job_id not in found:
            raise NotFound.of("job")
        return found[job_id]

    def _begin(self, principal: Principal) -> _Look:
        scope = principal.projects
        look = _Look(asyncio.create_task(self._look(principal, self._last.get(scope))))
        self._next[scope], self._last[scope] = look, look.found
        look.found.add_done_callback(lambda found: self._end(scope, found))
        return look

    async def _look(self, principal: Principal, before: Found | None) -> Mapping[UUID, Job]:
        if before is not None:
            await asyncio.wait({before})
        return await self._find_jobs(principal, frozenset(self._next.pop(principal.projects).job_ids))

    def _end(self, scope: frozenset[UUID] | None, found: Found) -> None:
        if self._last.get(scope) is found:
            del self._last[scope]
        if not found.cancelled():
            found.exception()  # it may be that all who asked have left
