"""Jobs that many clients look at, found together."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.service.together import Together

UNREADABLE = (LookupError, ValueError)  # of a record: a status that is none, a text that is no JSON
FindJobs = Callable[[Principal, Collection[UUID]], Awaitable[Mapping[UUID, Job]]]


class Looks:
    """One look at a time for all who see the same projects."""

    def __init__(self, find_jobs: FindJobs) -> None:
        self._find_jobs = find_jobs
        self._of_scopes: dict[frozenset[UUID] | None, Together[UUID, Job]] = {}

    async def job(self, principal: Principal, job_id: UUID) -> Job:
        """Raises: NotFound; Unavailable."""
        scope = principal.projects
        looks = self._of_scopes.get(scope)
        if looks is None:
            forget = partial(self._of_scopes.pop, scope, None)
            looks = self._of_scopes[scope] = Together(partial(self._look, principal), on_idle=forget)
        return await looks.ask(job_id)

    async def _look(self, principal: Principal, job_ids: Sequence[UUID]) -> Sequence[Job | Exception]:
        """A record that cannot be read is no answer to those who look at others."""
        distinct = frozenset(job_ids)
        found: Mapping[UUID, Job | Exception]
        try:
            found = await self._find_jobs(principal, distinct)
        except UNREADABLE as error:
            if len(distinct) == 1:
                return [error] * len(job_ids)
            found = {job_id: (await self._look(principal, [job_id]))[0] for job_id in distinct}
        return [found.get(job_id) or NotFound.of("job") for job_id in job_ids]
