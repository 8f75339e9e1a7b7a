"""Jobs that nobody ends: past their deadline, past their lease, unreadable; and clocks that are set."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import insert, text, update

from synthgen_ray.domain.lifecycle import DEADLINES, LEASE, JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams, ImputeParams
from synthgen_ray.store import queue
from synthgen_ray.store.erasures import bounded
from synthgen_ray.store.reaper import OVERDUE
from synthgen_ray.store.tables import JobRow, ModelRow
from tests.databases import on_both_databases, on_sqlite
from tests.given import ADMIN, COLUMNS, a_model_with_a_table, an_artifact
from tests.history import events_of, every_erasure, moves_of

MOMENT = timedelta(seconds=1)
TICK = timedelta(seconds=10)
HOUR = timedelta(hours=1)
YEARS = timedelta(days=3650)
JUMPS = [HOUR, -HOUR, YEARS]


def about_jobs(lines: list[dict[str, str]]) -> dict[str, str]:
    """What was said of each, by its id."""
    return {line["job_id"]: line["message"] for line in lines}


@on_both_databases
class TestLease:
    async def test_of_a_silent_dispatcher_ends_and_its_job_goes_back(self, store, clock, given_training, our_lines):
        job = await given_training()
        await store.claim_next(JobType)

        clock.advance(LEASE + MOMENT)
        await store.heartbeat(())

        assert about_jobs(our_lines()) == {str(job.id): f"job {job.id} is past its lease, attempt 1"}
        assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING
        assert await every_erasure(store) == (f"jobs/{job.id}/1",)

    async def test_of_one_that_reports_does_not(self, store, clock, given_training):
        job = await given_training()
        await store.claim_next(JobType)

        for _ in range(3):
            clock.advance(LEASE - MOMENT)
            assert await store.heartbeat({(job.id, 1)}) == {(job.id, 1)}

    async def test_is_not_taken_by_a_heartbeat_that_was_kept_from_its_turn_as_those_of_others_were(
        self, store, clock, given_training, monkeypatch
    ):
        job = await given_training()
        await store.claim_next(JobType)
        monotonic = iter([0, 0, 31, 31, 41, 41])  # of three heartbeats, as they come and go
        monkeypatch.setattr(queue, "time", SimpleNamespace(monotonic=monotonic.__next__))
        await store.heartbeat(())

        clock.advance(LEASE + MOMENT)
        await store.heartbeat(())
        after_a_stall = await store.get_job(ADMIN, job.id)
        await store.heartbeat(())

        assert after_a_stall.status is JobStatus.RUNNING
        assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING

    @pytest.mark.parametrize("jump", JUMPS, ids=str)
    async def test_of_who_is_here_survives_a_clock_that_is_set(self, store, clock, given_training, jump, monkeypatch):
        monkeypatch.setattr(store, "_deadlines", dict.fromkeys(JobType, timedelta(days=10_000)))
        job = await given_training()
        await store.claim_next(JobType)

        clock.advance(jump)

        assert await store.heartbeat({(job.id, 1)}) == {(job.id, 1)}

    async def test_of_a_dead_one_ends_even_when_the_clock_was_set_back(self, store, clock, given_training):
        job = await given_training()
        await store.claim_next(JobType)

        clock.advance(-HOUR)
        await store.heartbeat(())

        assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING


@on_both_databases
@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_clock_that_is_set_keeps_no_job_waiting_and_makes_no_negative_time(
    store, clock, project, given_training, jump
):
    job = await given_training()

    clock.advance(jump)
    claimed = await store.claim_next(JobType)
    clock.advance(-jump)
    clock.advance(-HOUR)
    await store.fail(job.id, claimed.job.attempt, OVERDUE)

    ended = await store.get_job(ADMIN, job.id)
    assert ended.created_at <= ended.started_at <= ended.finished_at
    assert (await store.get_usage(ADMIN, project.id)).training_seconds >= 0


@on_both_databases
async def test_what_is_to_be_erased_does_not_wait_for_a_clock_that_was_set_back(store, clock, given_training):
    job = await given_training()
    await store.claim_next(JobType)
    clock.advance(HOUR)
    await store.delete_model(ADMIN, job.model_id)
    soon = await store.list_erasures()

    clock.advance(-HOUR)

    assert soon == ()  # its worker may still write
    assert await store.list_erasures() == (f"jobs/{job.id}",)


@on_both_databases
class TestDeadline:
    async def test_of_a_job_that_waits(self, store, clock, given_training):
        job = await given_training()

        clock.advance(DEADLINES[JobType.TRAIN])
        await store.heartbeat(())

        assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE
        assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.FAILED

    async def test_of_one_that_runs(self, store, clock, given_ready_model):
        job = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())).value
        await store.claim_next(JobType)

        clock.advance(DEADLINES[JobType.GENERATE])

        assert await store.heartbeat({(job.id, 1)}) == set()
        assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE
        assert [event.error_code for event in await events_of(store, job.id)] == [None, None, "deadline_exceeded"]

    @pytest.mark.parametrize("jump", JUMPS, ids=str)
    async def test_moves_along_with_a_clock_that_is_set(self, store, clock, given_training, jump):
        job, left = await given_training(), DEADLINES[JobType.TRAIN]
        await store.heartbeat(())

        clock.advance(jump + TICK)
        for _ in range(2):  # another dispatcher finds it moved
            await store.heartbeat((), since=TICK)
        clock.advance(left - MOMENT)
        await store.heartbeat((), since=left)
        before = await store.get_job(ADMIN, job.id)
        clock.advance(2 * MOMENT)
        await store.heartbeat((), since=left)

        assert before.status is JobStatus.PENDING
        assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE

    @pytest.mark.parametrize("jump", JUMPS, ids=str)
    async def test_moves_along_with_a_clock_that_is_set_before_anybodys_first_heartbeat(
        self, store, clock, given_training, jump
    ):
        await store.migrate()
        job = await given_training()

        clock.advance(jump + TICK)
        await store.heartbeat((), reaps=False)
        clock.advance(TICK)
        await store.heartbeat((), since=TICK)

        assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING

    async def test_is_told_with_the_jobs_id(self, store, clock, given_training, our_lines):
        job = await given_training()

        clock.advance(DEADLINES[JobType.TRAIN])
        await store.heartbeat(())

        assert about_jobs(our_lines()) == {str(job.id): f"job {job.id} is past its deadline, attempt 0"}

    @pytest.mark.parametrize("jump", JUMPS, ids=str)
    async def test_of_what_was_asked_for_since_then_stays(self, store, clock, given_training, jump):
        await store.heartbeat(())
        clock.advance(jump)
        job = await given_training()

        clock.advance(TICK)
        await store.heartbeat((), since=2 * TICK)
        clock.advance(DEADLINES[JobType.TRAIN] - TICK)
        await store.heartbeat((), since=DEADLINES[JobType.TRAIN])

        assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE

    async def test_comes_though_a_clock_was_years_ahead_before_it_was_set_right(self, store, clock, given_training):
        job = await given_training()
        await store.heartbeat(())

        for jump in (YEARS, -YEARS):
            clock.advance(jump + TICK)
            await store.heartbeat((), since=TICK)
        clock.advance(DEADLINES[JobType.TRAIN])
        await store.heartbeat((), since=DEADLINES[JobType.TRAIN])

        assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE

    async def test_of_what_was_asked_for_while_no_dispatcher_lived_moves_by_that_part_of_the_time(
        self, store, clock, given_training
    ):
        await store.heartbeat(())
        clock.advance(YEARS)
        job = await given_training()

        clock.advance(2 * TICK)
        await store.heartbeat((), since=TICK)
        clock.advance(DEADLINES[JobType.TRAIN])
        await store.heartbeat((), since=DEADLINES[JobType.TRAIN])

        assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE

    async def test_does_not_run_while_no_dispatcher_lives(self, store, clock, given_training):
        job = await given_training()
        await store.heartbeat(())

        clock.advance(2 * DEADLINES[JobType.TRAIN])
        await store.heartbeat((), reaps=False)  # the first one of whoever starts again
        clock.advance(TICK)
        await store.heartbeat((), since=TICK)

        assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING

    @pytest.mark.nightly
    async def test_of_more_than_a_statement_can_name_comes_for_all(self, store, clock, given_training):
        job = await given_training()
        async with store._sessions.writing() as session:
            row = await session.get_one(JobRow, job.id)
            same = {column.key: getattr(row, column.key) for column in JobRow.__mapper__.column_attrs}
            new = [{**same, "id": uuid4(), "background_id": uuid4()} for _ in range(33_000)]
            for some in bounded(new):  # on PostgreSQL a statement has ten seconds
                await session.execute(insert(JobRow), some)

        clock.advance(DEADLINES[JobType.TRAIN])
        await store.heartbeat(())

        for job_id in (job.id, new[0]["id"], new[-1]["id"]):
            assert (await store.get_job(ADMIN, job_id)).failure == OVERDUE

    async def test_that_has_not_come_harms_nobody(self, store, clock, given_training):
        job = await given_training()

        clock.advance(DEADLINES[JobType.TRAIN] - MOMENT)
        await store.heartbeat(())

        assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING


class TestUnreadable:
    async def spoil(self, store, status: JobStatus = JobStatus.PENDING, **columns: str) -> None:
        (column, value), *_ = columns.items()
        oldest = f"(SELECT id FROM jobs WHERE status = '{status}' ORDER BY created_at LIMIT 1)"
        async with store._sessions.writing() as session:
            await session.execute(text(f"UPDATE jobs SET {column} = :value WHERE id = {oldest}"), {"value": value})

    @on_sqlite  # PostgreSQL takes no such text
    @pytest.mark.parametrize("config", ["not json", "{", "[" * 5000 + "]" * 5000], ids=["words", "half", "deep"])
    async def test_a_job_with_a_broken_config_fails_and_the_next_is_claimed(
        self, store, given_training, config, our_lines
    ):
        broken, sound = await given_training("a"), await given_training("b")
        await self.spoil(store, config=config)

        claimed = await store.claim_next(JobType)

        assert list(about_jobs(our_lines())) == [str(broken.id)]
        assert claimed.job.id == sound.id
        assert (await store.get_job(ADMIN, broken.id)).failure.code == "unreadable_job"
        assert await moves_of(store, broken.id) == ["pending", "running", "failed"]

    @on_both_databases
    @pytest.mark.parametrize("job_type", [JobType.TRAIN, JobType.GENERATE, JobType.REPORT])
    async def test_jobs_whose_config_says_not_what_is_asked_fail_and_the_next_is_claimed(
        self, store, project, given_ready_model, job_type
    ):
        model_id, other = await a_model_with_a_table(store, project.id), await given_ready_model()
        says = {"seed": "x", "num_rows": "x", "format": 5}
        configs = [{}, [], None, "text", 5, says, {**says, "dataset_version_id": 5}]
        broken = [(await store.enqueue_generate(ADMIN, other, GenerateParams())).value for _ in configs]
        sound = (await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value
        async with store._sessions.writing() as session:
            for job, config in zip(broken, configs, strict=True):
                odd = update(JobRow).where(JobRow.id == job.id).values(job_type=job_type, config=config)
                await session.execute(odd)

        assert (await store.claim_next(JobType)).job.id == sound.id
        assert await store.claim_next(JobType) is None
        for job in broken:
            failed = await store.get_job(ADMIN, job.id)
            assert (failed.failure.code, failed.config) == ("unreadable_job", {})

    @on_both_databases
    async def test_many_jobs_that_cannot_be_read_do_not_all_fail_in_one_transaction(
        self, store, project, given_ready_model, monkeypatch
    ):
        monkeypatch.setattr(queue, "UNREADABLE_AT_ONCE", 2)
        model_id = await given_ready_model()
        version = (await store.add_dataset_version(ADMIN, project.id, "gaps", "", an_artifact(), COLUMNS, ())).value
        order = ImputeParams(dataset_version_id=version.id)
        broken = [(await store.enqueue_impute(ADMIN, model_id, order)).value for _ in range(3)]
        sound = (await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value
        await store.delete_dataset(ADMIN, version.dataset_id)

        assert await store.claim_next(JobType) is None
        failed = [(await store.get_job(ADMIN, job.id)).status is JobStatus.FAILED for job in broken]
        assert (await store.claim_next(JobType)).job.id == sound.id

        assert failed == [True, True, False]
        assert (await store.get_job(ADMIN, broken[2].id)).failure.code == "dataset_deleted"

    @on_both_databases
    @pytest.mark.parametrize("resources", [None, [], {"num_workers": "many"}, {"num_tpus": 1}], ids=str)
    async def test_a_training_that_says_not_what_it_needs_fails_and_the_next_is_claimed(
        self, store, given_training, resources
    ):
        broken, sound = await given_training("a"), await given_training("b")
        async with store._sessions.writing() as session:
            odd = update(ModelRow).where(ModelRow.id == broken.model_id).values(resources=resources)
            await session.execute(odd)

        assert (await store.claim_next(JobType)).job.id == sound.id
        assert (await store.get_job(ADMIN, broken.id)).failure.code == "unreadable_job"

    @on_both_databases
    async def test_a_job_of_an_unknown_kind_fails_and_the_next_is_claimed(self, store, given_training, our_lines):
        broken, sound = await given_training("a"), await given_training("b")
        await self.spoil(store, job_type="translate")

        await store.heartbeat(())

        assert about_jobs(our_lines()) == {str(broken.id): f"job {broken.id} cannot be read, attempt 0"}
        assert (await store.claim_next(JobType)).job.id == sound.id
        assert [event.error_code for event in await events_of(store, broken.id)] == [None, "unreadable_job"]

    @on_sqlite
    async def test_one_that_runs_does_not_keep_the_reaper_from_the_others(self, store, clock, given_training):
        broken, other = await given_training("a"), await given_training("b")
        for job in (broken, other):
            assert (await store.claim_next(JobType)).job.id == job.id
        await self.spoil(store, JobStatus.RUNNING, config="not json")

        clock.advance(LEASE + MOMENT)
        await store.heartbeat(())

        for job in (broken, other):
            assert await moves_of(store, job.id) == ["pending", "running", "pending"]
