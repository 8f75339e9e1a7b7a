"""What is let go, and what is kept."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from synthgen_ray.domain.entities import Artifact, Job, JobFailure, Part, attempt_folder, job_folder
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.store import Store
from tests.databases import on_both_databases, on_sqlite
from tests.given import ADMIN

FAILURE = JobFailure("internal_error", "It failed.")


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture
def given_generation(store: Store, given_ready_model):
    async def given(*, fails: bool = False, ends: bool = True) -> Job:
        model_id = await given_ready_model()
        await store.enqueue_generate(ADMIN, model_id, GenerateParams())
        job = (await store.claim_next({JobType.GENERATE})).job
        if fails:
            await store.fail(job.id, job.attempt, FAILURE)
        elif ends:
            rows = Artifact(uuid4(), job.folder, (Part("part-0", 10, 1234),), "ab" * 32)
            await store.complete_generation(job.id, job.attempt, rows)
        return await store.get_job(ADMIN, job.id)

    return given


@on_both_databases
class TestOutputs:
    async def test_are_kept_until_their_time_is_over(self, store, given_generation):
        job = await given_generation()

        expired = await store.expire_outputs(later(-1))

        assert expired == 0
        assert (await store.get_job(ADMIN, job.id)).artifact == job.artifact

    async def test_go_and_their_job_stays_completed_and_their_bytes_no_longer_count(
        self, store, project, given_generation
    ):
        job = await given_generation()
        before = (await store.get_usage(ADMIN, project.id)).storage_bytes

        expired = await store.expire_outputs(later(1))

        shown = await store.get_job(ADMIN, job.id)
        assert expired == 1
        assert (shown.status, shown.artifact, shown.seed) == (JobStatus.COMPLETED, None, job.seed)
        assert await store.list_erasures() == (job_folder(job.id),)
        assert (await store.get_usage(ADMIN, project.id)).storage_bytes == before - 1234
        assert await store.expire_outputs(later(1)) == 0

    async def test_are_as_old_as_the_end_of_their_job_however_long_it_waited(self, store, clock, given_generation):
        job = await given_generation(ends=False)
        clock.advance(timedelta(days=2))
        rows = Artifact(uuid4(), job.folder, (Part("part-0", 10, 1234),), "ab" * 32)
        await store.complete_generation(job.id, job.attempt, rows)

        assert await store.expire_outputs(clock() - timedelta(days=1)) == 0

    async def test_of_trainings_are_models_and_stay(self, store, given_ready_model):
        model_id = await given_ready_model()

        await store.expire_outputs(later(1000))

        assert (await store.get_trained(ADMIN, model_id))[1].size_bytes > 0


@on_both_databases
class TestFailedJobs:
    async def test_go_when_their_time_is_over_with_their_files(self, store, given_generation):
        job = await given_generation(fails=True)

        assert await store.delete_failed(later(-1)) == 0
        assert await store.delete_failed(later(1)) == 1

        with pytest.raises(NotFound):
            await store.get_job(ADMIN, job.id)
        assert job_folder(job.id) in await store.list_erasures()

    async def test_that_are_trainings_stay_with_their_model(self, store, given_training):
        training = await given_training()
        attempt = (await store.claim_next({JobType.TRAIN})).job.attempt
        await store.fail(training.id, attempt, FAILURE)

        assert await store.delete_failed(later(1000)) == 0
        assert (await store.get_job(ADMIN, training.id)).failure == FAILURE

    async def test_alone_go(self, store, given_generation):
        completed, running = await given_generation(), await given_generation(ends=False)

        await store.delete_failed(later(1000))

        assert [(await store.get_job(ADMIN, job.id)).status for job in (completed, running)] == [
            JobStatus.COMPLETED,
            JobStatus.RUNNING,
        ]


@on_both_databases
class TestTime:
    async def test_is_the_stores_while_it_goes_on(self, store, clock):
        for days in (0, 0.9, 0.9, -5, 0.9):
            clock.advance(timedelta(days=days))
            assert await store.ask_time() < clock()

    async def test_is_not_known_while_it_leaps_ahead_of_what_was_last_known(self, store, clock):
        await store.ask_time()

        clock.advance(timedelta(days=3650))

        assert [await store.ask_time() for _ in range(2)] == [None, None]
        clock.advance(-timedelta(days=3650))
        assert await store.ask_time() is not None

    async def test_is_known_a_day_after_a_leap_also_where_the_server_is_off_each_night(
        self, store, clock, database_url
    ):
        await store.ask_time()
        clock.advance(timedelta(days=3))

        for is_known in (False, False, True, True):
            started_anew = Store(database_url, clock=clock)
            assert (await started_anew.ask_time() is not None) == is_known
            await started_anew.dispose()
            clock.advance(timedelta(hours=14))

    async def test_is_known_at_each_second_start_where_a_server_is_started_each_third_day(self, store, clock):
        await store.ask_time()
        known = []
        for _ in range(4):
            clock.advance(timedelta(days=3))
            known.append(await store.ask_time() is not None)

        assert known == [False, True, False, True]

    async def test_is_not_known_while_the_databases_clock_was_set_lately(self, store, monkeypatch):
        monkeypatch.setattr(store._sessions, "is_steady", lambda: False)

        assert await store.ask_time() is None


@on_sqlite  # PostgreSQL takes no such text
class TestUndecodableRows:
    @pytest.fixture(autouse=True)
    async def undecodable(self, store, given_generation) -> Job:
        job = await given_generation(fails=True)
        async with store._sessions.writing() as session:
            await session.execute(text("UPDATE jobs SET config = 'not json', losses = 'not json'"))
        return job

    async def test_go_as_others_do(self, store, undecodable):
        await store.expire_outputs(later(1))
        await store.delete_failed(later(1))

        assert job_folder(undecodable.id) in await store.list_erasures()

    async def test_go_with_their_model(self, store, undecodable):
        await store.delete_model(ADMIN, undecodable.model_id)

        assert job_folder(undecodable.id) in await store.list_erasures()

    async def test_go_with_their_project(self, store, undecodable):
        await store.delete_project(ADMIN, undecodable.project_id, force=True)

        assert job_folder(undecodable.id) in await store.list_erasures()

    async def test_keep_no_unnamed_folder(self, store, undecodable):
        stray = attempt_folder(undecodable.id, 7)

        assert await store.erase_unnamed([stray]) == 1


@on_both_databases
class TestUnnamedFolders:
    async def test_are_erased_and_those_that_a_row_names_are_not(self, store, given_generation):
        job = await given_generation()
        strays = [f"datasets/{uuid4()}", f"models/{uuid4()}", job_folder(uuid4()), attempt_folder(job.id, 7)]

        erased = await store.erase_unnamed([job.folder, job_folder(job.id), *strays])

        assert erased == len(strays)
        assert set(await store.list_erasures()) == set(strays)

    async def test_of_a_job_that_is_not_over_are_kept_whichever_attempt_wrote_them(self, store, given_generation):
        running = await given_generation(ends=False)
        folders = [job_folder(running.id), running.folder, attempt_folder(running.id, 7)]

        assert await store.erase_unnamed(folders) == 0

    async def test_that_are_none_of_ours_are_kept(self, store):
        assert await store.erase_unnamed(["jobs/of-the-operator", "datasets/backup/1", "models"]) == 0

    async def test_whose_erasing_waits_are_left_to_it(self, store, given_generation):
        failed = await given_generation(fails=True)  # its attempt may write until its lease would end

        assert await store.erase_unnamed([failed.folder]) == 0
        assert await store.list_erasures() == ()


def test_an_id_is_part_of_each_folders_name():
    job_id = UUID(int=7)

    assert attempt_folder(job_id, 2) == f"{job_folder(job_id)}/2" == f"jobs/{job_id}/2"
