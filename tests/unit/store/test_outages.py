"""A PostgreSQL that is away, full or silent: callers hear that it is, and it is found again without anybody's help."""

import asyncio
import signal

import asyncpg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.store import engines
from synthgen_ray.store.sessions import WRITERS
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import ProjectRow
from tests.databases import on_postgresql
from tests.given import ADMIN, admit_admin
from tests.postgres import PASSWORD, a_postgres
from tests.silence import a_proxy

LIMIT_S = 60


@pytest.fixture(scope="module")
def own_postgres():
    """One that may be stopped."""
    with a_postgres("-c", "max_connections=20") as server:
        yield server


@pytest.fixture
async def own_store(own_postgres):
    name = own_postgres.new_database()
    store = Store(own_postgres.url(name))
    await store.migrate()
    await admit_admin(own_postgres.url(name))
    yield store
    await store.dispose()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_server_that_stops_is_away_and_is_found_again_when_it_starts(how, own_postgres, own_store):
    await asyncio.gather(*(own_store.create_project(ADMIN, "Before") for _ in range(5)))

    own_postgres.stop(how)
    for call in (own_store.list_projects(ADMIN, 10, 0), own_store.create_project(ADMIN, "Lost"), own_store.ping()):
        with pytest.raises(Unavailable) as away:
            await call
        assert away.value.code == "store_unavailable"
    own_postgres.start()

    assert (await own_store.list_projects(ADMIN, 10, 0)).total == 5


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_restart_between_two_calls_is_not_noticed(how, own_postgres, own_store):
    await asyncio.gather(*(own_store.list_projects(ADMIN, 10, 0) for _ in range(5)))

    await asyncio.to_thread(own_postgres.stop, how)  # the connections see it meanwhile
    own_postgres.start()

    await asyncio.gather(*(own_store.create_project(ADMIN, "After") for _ in range(5)))
    assert (await own_store.list_projects(ADMIN, 10, 0)).total == 5


async def test_a_server_without_a_free_connection_is_unavailable(own_postgres, own_store):
    await own_store.dispose()
    url = own_postgres.url()
    taken = []
    with pytest.raises(asyncpg.TooManyConnectionsError):
        while True:
            taken.append(await asyncpg.connect(url))

    with pytest.raises(Unavailable):
        await own_store.ping()
    for connection in taken:
        await connection.close()

    await _until_available(own_store)


@on_postgresql
@pytest.mark.parametrize(
    "wish",
    [
        "target_session_attrs=standby",  # in the place of a primary one: there is none while two servers change places
        "sslmode=verify-full",  # by an authority whose certificate is not there
    ],
)
async def test_servers_of_which_none_is_as_it_is_wished_for_are_away(store, database_url, wish, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    unanswered = Store(f"{database_url}?{wish}")

    with pytest.raises(Unavailable):
        await unanswered.ping()


@on_postgresql
async def test_a_writer_that_keeps_others_waiting_for_long_makes_them_unavailable(store, database_url, monkeypatch):
    monkeypatch.setitem(engines.SERVER_SETTINGS, "lock_timeout", "50ms")
    other = await asyncpg.connect(database_url)
    await other.execute(f"SELECT pg_advisory_lock({WRITERS})")

    await store.dispose()  # connections that are made from here on wait no longer
    with pytest.raises(Unavailable):
        await store.create_project(ADMIN, "Another")
    await other.close()

    await _until_available(store)
    assert (await store.create_project(ADMIN, "Another")).value.name == "Another"


@on_postgresql
async def test_who_waited_for_a_writer_sees_what_it_did_whatever_level_of_isolation_an_operator_has_set(database_url):
    stores = [Store(f"{database_url}?default_transaction_isolation=serializable") for _ in range(4)]

    await asyncio.gather(*(stores[i % 4].create_project(ADMIN, "Another") for i in range(20)))

    assert (await stores[0].list_projects(ADMIN, 10, 0)).total == 20
    for store in stores:
        await store.dispose()


@on_postgresql
async def test_of_two_that_wait_for_each_other_one_goes_on(store):
    first, second = [(await store.create_project(ADMIN, name)).value.id for name in "ab"]
    both_have_one = asyncio.Barrier(2)

    async def rename(*projects) -> None:
        async with store._sessions.updating() as session:
            for project_id in projects:
                await session.execute(update(ProjectRow).where(ProjectRow.id == project_id).values(name="c"))
                if project_id == projects[0]:
                    await both_have_one.wait()

    ended = await asyncio.gather(rename(first, second), rename(second, first), return_exceptions=True)

    assert sorted(type(one) for one in ended if one) == [Unavailable]


# What a full disk, a crash, a failover and so on say; and what a mistake of ours does.
@pytest.mark.parametrize("state", ["08006", "25006", "28000", "40001", "53100", "53200", "57P01", "57P03", "58030"])
@on_postgresql
async def test_states_of_the_server_are_outages(store, state):
    with pytest.raises(Unavailable):
        async with store._sessions.writing() as session:
            await session.execute(_raising(state))


@pytest.mark.parametrize("state", ["22P02", "23505", "42601", "XX000"])
@on_postgresql
async def test_mistakes_are_not(store, state):
    with pytest.raises(DBAPIError):
        async with store._sessions.writing() as session:
            await session.execute(_raising(state))


class TestSilence:
    @pytest.fixture
    async def proxy(self, postgres):
        async with a_proxy(postgres.port) as proxy:
            yield proxy

    @pytest.fixture
    async def behind_proxy(self, store, proxy, postgres, database_url, monkeypatch):
        await store.ping()  # a connection of the usual patience, for whoever waits for the silent one
        monkeypatch.setattr(engines, "COMMAND_S", 0.5)
        monkeypatch.setattr(engines, "CONNECT_S", 0.5)
        behind_proxy = Store(postgres.url(database_url.rsplit("/", 1)[1], proxy.port))
        yield behind_proxy
        await behind_proxy.dispose()

    @on_postgresql
    async def test_ends_in_unavailable_and_the_whole_pool_is_made_anew(self, proxy, behind_proxy):
        await asyncio.gather(*(behind_proxy.list_projects(ADMIN, 10, 0) for _ in range(5)))

        proxy.fall_silent()
        async with asyncio.timeout(LIMIT_S):
            with pytest.raises(Unavailable):
                await behind_proxy.create_project(ADMIN, "Unheard")
            with pytest.raises(Unavailable):  # nor can it be connected anew
                await behind_proxy.list_projects(ADMIN, 10, 0)
        proxy.recover()

        for _ in range(10):  # none of which meets a connection from before
            await behind_proxy.list_projects(ADMIN, 10, 0)

    @on_postgresql
    async def test_of_a_writer_sets_the_others_free(self, proxy, behind_proxy, store, monkeypatch):
        monkeypatch.setitem(engines.SERVER_SETTINGS, "idle_in_transaction_session_timeout", "500ms")

        with pytest.raises(Unavailable):
            async with behind_proxy._sessions.writing() as session:
                await session.execute(select(ProjectRow))
                proxy.fall_silent()
                await store.create_project(ADMIN, "Of another server")

        assert [one.name for one in (await store.list_projects(ADMIN, 10, 0)).items] == ["Of another server"]


@on_postgresql
async def test_neither_errors_nor_logs_repeat_the_password(postgres, database_url, caplog):
    name = database_url.rsplit("/", 1)[1]
    wrong = Store(postgres.url(name).replace(f":{PASSWORD}@", f":{PASSWORD}x@"))

    with pytest.raises(Unavailable) as refusal:
        await wrong.migrate()

    assert PASSWORD not in caplog.text + str(refusal.value) + repr(wrong._sessions.engine) + str(
        refusal.value.__cause__
    )


def _raising(state: str):
    return text(f"DO $$ BEGIN RAISE EXCEPTION 'so' USING ERRCODE = '{state}'; END $$")


async def _until_available(store: Store) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await store.ping()
            except Unavailable:
                continue
