"""The audit trail in the database: one chain, whoever writes, which no statement changes."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from synthgen_ray.domain.access import Origin, Principal, Role
from synthgen_ray.domain.audit import Action, AuditEvent, find_break
from synthgen_ray.domain.errors import Conflict
from synthgen_ray.domain.once import Once
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store import audit, retention
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import utc_now
from tests.databases import on_both_databases
from tests.given import ADMIN

pytestmark = on_both_databases


async def trail(store: Store, principal: Principal = ADMIN) -> list[AuditEvent]:
    """Newest first."""
    return list((await store.list_audit(principal, 1000, 0)).items)


async def test_an_event_tells_who_did_what_from_where(store):
    someone = Principal(ADMIN.key_id, Role.ADMIN, origin=Origin("request-7", "10.0.0.7"))

    project = (await store.create_project(someone, "Bank")).value

    (event,) = await trail(store)
    assert (event.number, event.action, event.object_id) == (1, Action.PROJECT_CREATE, project.id)
    assert (event.key_id, event.request_id, event.address) == (ADMIN.key_id, "request-7", "10.0.0.7")
    assert abs(event.at - utc_now()) < timedelta(minutes=1)


async def test_what_is_deleted_leaves_what_was_done_to_it(store, project, given_ready_model):
    model_id = await given_ready_model()
    await store.enqueue_generate(ADMIN, model_id, GenerateParams())
    await store.delete_project(ADMIN, project.id, force=True)

    actions = [event.action for event in await trail(store)]

    assert actions[:2] == [Action.PROJECT_DELETE, Action.JOB_CREATE]
    assert actions[-1] == Action.PROJECT_CREATE


async def test_what_was_refused_or_done_before_is_no_event(store, project, given_ready_model):
    model_id = await given_ready_model()
    await store.set_admin_key("ab" * 32)
    holder = await store.find_admission("ab" * 32)
    before = await trail(store)
    once = Once("key", "POST /generate", "fingerprint")

    for _ in range(3):
        await store.enqueue_generate(holder, model_id, GenerateParams(), once)
    with pytest.raises(Conflict):
        await store.delete_project(ADMIN, project.id, force=False)

    assert len(await trail(store)) == len(before) + 1


async def test_writers_on_many_servers_make_one_chain(store, database_url):
    stores = [Store(database_url) for _ in range(3)]

    await asyncio.gather(*(stores[i % 3].create_project(ADMIN, f"p{i}") for i in range(30)))

    events = await trail(store)
    assert [event.number for event in events] == list(range(30, 0, -1))
    assert find_break(events) is None
    for one in stores:
        await one.dispose()


async def test_the_database_changes_none(store, project):
    with pytest.raises(IntegrityError, match="never changed"):
        async with store._sessions.writing() as session:
            await session.execute(text("UPDATE audit_events SET address = 'elsewhere'"))

    assert (await trail(store))[0].address == ""


async def test_a_change_behind_its_back_is_found(store, database_url, project):
    await store.create_project(ADMIN, "Another")
    off = "DROP TRIGGER audit_events_stay" + ("" if database_url.startswith("sqlite") else " ON audit_events")
    async with store._sessions.writing() as session:
        await session.execute(text(off))
        await session.execute(text("UPDATE audit_events SET address = 'elsewhere' WHERE number = 1"))

    broken = find_break(await trail(store))

    assert broken is not None
    assert broken.number == 1


async def test_old_events_are_let_go_and_the_chain_goes_on(store, project):
    for name in ("second", "third"):
        await store.create_project(ADMIN, name)

    assert await store.forget_audit(utc_now() - timedelta(hours=1)) == 0
    assert await store.forget_audit(utc_now() + timedelta(hours=1)) == 2
    await store.create_project(ADMIN, "fourth")

    events = await trail(store)
    assert [event.number for event in events] == [4, 3]
    assert find_break(events) is None


async def test_old_events_are_let_go_some_at_a_time(store, monkeypatch):
    monkeypatch.setattr(retention, "EVENTS_AT_ONCE", 2)
    for name in ("first", "second", "third", "fourth"):
        await store.create_project(ADMIN, name)
    later = utc_now() + timedelta(hours=1)

    assert [await store.forget_audit(later) for _ in range(3)] == [2, 1, 0]
    assert [event.number for event in await trail(store)] == [4]


async def test_a_clock_that_was_set_leaves_no_gap_in_the_chain(store, monkeypatch):
    now = utc_now()
    for days in (-500, -499, 300, -498, -10, -450, 0):
        monkeypatch.setattr(audit, "utc_now", lambda days=days: now + timedelta(days=days))
        await store.create_project(ADMIN, "Bank")

    assert await store.forget_audit(now - timedelta(days=400)) == 4

    events = await trail(store)
    assert [event.number for event in events] == [7, 6, 5]
    assert find_break(events) is None


async def test_a_bound_key_sees_what_was_done_in_its_projects(store, project):
    await store.create_project(ADMIN, "Another")
    bound = Principal(ADMIN.key_id, Role.ADMIN, frozenset({project.id}))

    assert [event.project_id for event in await trail(store, bound)] == [project.id]
