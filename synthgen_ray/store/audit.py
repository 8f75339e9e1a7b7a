"""The audit trail: an event is written in the transaction that does what it tells of, and never changed."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import cast
from uuid import UUID

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import NOTHING_BEFORE, Action, AuditEvent, ShownEvent, hash_of
from synthgen_ray.domain.entities import Page
from synthgen_ray.store.holders import sees_key
from synthgen_ray.store.paging import page
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ApiKeyRow, AuditRow, utc_now

_EVENTS = cast(Table, AuditRow.__table__)  # written so, an event takes half of what it takes as an object
_SQLITE = (
    """
    CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
    BEGIN
        SELECT RAISE(ABORT, 'an audit event is never changed');
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION refuse_a_changed_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'an audit event is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END
    $$
    """,
    """
    CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events FOR EACH ROW
    EXECUTE FUNCTION refuse_a_changed_audit_event()
    """,
)


class Audits:
    _sessions: Sessions

    async def record_read(self, principal: Principal, action: Action, object_id: UUID, project_id: UUID) -> None:
        """Of what only reads, but is told of: that a file left."""
        async with self._sessions.writing() as session:
            await record(session, principal, action, object_id, project_id)

    async def list_audit(self, principal: Principal, limit: int, offset: int) -> Page[AuditEvent | ShownEvent]:
        """Newest first. A bound key sees what was done in its projects, and less of it."""
        newest = select(AuditRow).order_by(AuditRow.number.desc())
        async with self._sessions.reading() as session:
            if principal.projects is None:
                return await page(session, newest, limit, offset, _to_event)
            own = newest.where(AuditRow.project_id.in_(principal.projects))
            events = await page(session, own, limit, offset, _to_event)
            known = await _known_keys(session, principal, {event.key_id for event in events.items})
        shown = tuple(ShownEvent.of(event, is_key_known=event.key_id in known) for event in events.items)
        return Page(shown, events.total)


async def record(
    session: AsyncSession, principal: Principal, action: Action, object_id: UUID, project_id: UUID | None
) -> None:
    """Add an event to the chain, within `Sessions.writing()`, where one at a time writes."""
    await record_all(session, action, [(principal, object_id, project_id)])


async def record_all(
    session: AsyncSession, action: Action, done: Sequence[tuple[Principal, UUID, UUID | None]]
) -> None:
    """The same of several, in their order: who did it, to what, of which project."""
    last = await session.execute(select(AuditRow.number, AuditRow.hash).order_by(AuditRow.number.desc()).limit(1))
    number, previous = last.one_or_none() or (0, NOTHING_BEFORE)
    events = []
    for principal, object_id, project_id in done:
        number += 1
        origin = principal.origin
        event = AuditEvent(
            number,
            utc_now(),
            action,
            object_id,
            project_id,
            principal.key_id,
            origin.request_id,
            origin.address,
            previous,
            hash="",
        )
        previous = hash_of(event)
        events.append({**vars(event), "hash": previous})
    if events:
        await session.execute(insert(_EVENTS), events)


async def _known_keys(session: AsyncSession, principal: Principal, asked: Collection[UUID]) -> set[UUID]:
    """Those of these keys that are bound to projects of the principal, also once they are deleted."""
    projects = principal.projects or ()
    bound = select(ApiKeyRow.id).where(ApiKeyRow.id.in_(asked), sees_key(principal))
    is_made = (AuditRow.action == Action.KEY_CREATE) & AuditRow.project_id.in_(projects)
    once_bound = select(AuditRow.object_id).where(AuditRow.object_id.in_(asked), is_made)
    return {principal.key_id, *await session.scalars(bound), *await session.scalars(once_bound)}


def keep_audit_events(connection: Connection) -> None:
    """Have the database refuse to change one."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)


def _to_event(row: AuditRow) -> AuditEvent:
    return AuditEvent(**{field.name: getattr(row, field.name) for field in fields(AuditEvent)})
