"""Once only: a creating call that carries an Idempotency-Key is remembered in the transaction that it made.

The same key and body find what the first call answered; nothing is made again. Keys are those of an API key and a
route: nobody meets another's.
"""

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import ApiKey, Principal
from synthgen_ray.domain.entities import DatasetVersion, Job, Model, Project
from synthgen_ray.domain.errors import Conflict, InvalidRequest
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.store.holders import require_holder
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import OnceRow

T = TypeVar("T")
REMEMBERED = timedelta(hours=24)
API_KEY = TypeAdapter(ApiKey)
DATASET_VERSION = TypeAdapter(DatasetVersion)
JOB = TypeAdapter(Job)
MODEL = TypeAdapter(Model)
PROJECT = TypeAdapter(Project)


class Onces:
    _sessions: Sessions

    async def find_made_job(self, principal: Principal, once: Once) -> Job | None:
        """What an earlier call with this key made.

        Raises: Unauthenticated, for a principal whose API key is gone by now; InvalidRequest, for another body.
        """
        return await self._find_made(principal, once, JOB)

    async def find_made_version(self, principal: Principal, once: Once) -> DatasetVersion | None:
        """As `find_made_job`."""
        return await self._find_made(principal, once, DATASET_VERSION)

    async def find_made_model(self, principal: Principal, once: Once) -> Model | None:
        """As `find_made_job`."""
        return await self._find_made(principal, once, MODEL)

    async def forget_old_calls(self, now: datetime) -> None:
        async with self._sessions.writing() as session:
            await session.execute(delete(OnceRow).where(OnceRow.created_at < now - REMEMBERED))

    async def _find_made(self, principal: Principal, once: Once, adapter: TypeAdapter[T]) -> T | None:
        async with self._sessions.reading() as session:
            await require_holder(session, principal)
            before = await _recall(session, principal, once)
        return None if before is None else adapter.validate_python(before)


async def once_only(
    session: AsyncSession,
    principal: Principal,
    once: Once | None,
    adapter: TypeAdapter[T],
    make: Callable[[AsyncSession], Awaitable[T]],
) -> Made[T]:
    """What `make` makes, or made when it was first called with this key.

    Raises: Unauthenticated, for a principal whose API key is gone by now; InvalidRequest, for a key that was used with
    another body; Conflict, while the first call goes on.
    """
    await require_holder(session, principal)
    if once is None:
        return Made(await make(session))
    before = await _recall(session, principal, once)
    if before is not None:
        return Made(adapter.validate_python(before), replayed=True)
    made = await make(session)
    answer = adapter.dump_python(made, mode="json")
    project_id = answer.get("project_id")
    of_it = {"made_id": UUID(answer["id"]), "project_id": UUID(project_id) if project_id else None}
    session.add(OnceRow(**_identity(principal, once), fingerprint=once.fingerprint, answer=answer, **of_it))
    try:
        await session.flush()
    except IntegrityError as error:  # only where two may write at the same time
        raise Conflict("A call with this Idempotency-Key is under way.", "idempotency_in_progress") from error
    return Made(made)


async def forget_calls(session: AsyncSession, project_id: UUID, gone: Collection[UUID]) -> None:
    """Of what was made in a project that goes, and of what goes with it."""
    made_there = OnceRow.project_id == project_id
    await session.execute(delete(OnceRow).where(or_(made_there, OnceRow.made_id.in_((project_id, *gone)))))


async def _recall(session: AsyncSession, principal: Principal, once: Once) -> dict[str, Any] | None:
    row = await session.scalar(select(OnceRow).filter_by(**_identity(principal, once)))
    if row is None:
        return None
    if row.fingerprint != once.fingerprint:
        detail = "This Idempotency-Key was used for another request: use a new key for each new request."
        raise InvalidRequest(detail, "idempotency_mismatch")
    return row.answer


def _identity(principal: Principal, once: Once) -> dict[str, Any]:
    return {"api_key_id": principal.key_id, "route": once.route, "key": once.key}
