"""Rounds of tidying over a real store and real files."""

import errno
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, JobFailure, attempt_folder, job_folder
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.once import Once
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.domain.retention import Retention
from synthgen_ray.jobs import tidying
from synthgen_ray.jobs.tidying import Tidying
from synthgen_ray.store import queue, timekeeping
from tests.given import ADMIN


class Memory:
    """Who keeps in memory what is in the folders, and is told what to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def forget(self, folders: tuple[str, ...]) -> None:
        self.forgotten += folders


@pytest.fixture
def artifacts(tmp_path) -> DiskArtifacts:
    return DiskArtifacts(tmp_path / "artifacts")


@pytest.fixture
def tidy(store, artifacts):
    async def one_round(retention: Retention = Retention()) -> None:  # noqa: B008
        await Tidying(store, artifacts, retention, Memory().forget).round()

    return one_round


def given_file(artifacts: DiskArtifacts, location: str, *, old: bool, name: str = "part-0") -> Artifact:
    with artifacts.writing(location, name) as sink:
        sink.write(b"rows")
    if old:
        long_ago = time.time() - tidying.UNNAMED_S - 60
        for path in (artifacts.path(location, name), artifacts.path(location, "")):
            os.utime(path, (long_ago, long_ago))
    return artifacts.seal(location, [artifacts.part(location, name, 1)])


def is_there(artifacts: DiskArtifacts, location: str) -> bool:
    return artifacts.path(location, "part-0").exists()


@pytest.fixture
def given_running(store, given_ready_model):
    async def given():
        await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())
        return (await store.claim_next({JobType.GENERATE})).job

    return given


async def test_old_files_that_no_row_names_go_and_new_ones_stay(artifacts, tidy):
    old, new = f"datasets/{uuid4()}", f"datasets/{uuid4()}"
    given_file(artifacts, old, old=True)
    given_file(artifacts, new, old=False)  # an upload, whose row is not yet written

    await tidy()

    assert not is_there(artifacts, old)
    assert is_there(artifacts, new)


async def test_what_a_live_attempt_wrote_long_ago_stays(artifacts, store, tidy, given_running):
    job = await given_running()
    given_file(artifacts, job.folder, old=True)

    await tidy()

    assert is_there(artifacts, job.folder)


async def test_what_is_published_stays_and_what_a_zombie_left_beside_it_goes(artifacts, store, tidy, given_running):
    job = await given_running()
    rows = given_file(artifacts, job.folder, old=True)
    await store.complete_generation(job.id, job.attempt, rows)
    zombies = attempt_folder(job.id, 0)
    given_file(artifacts, zombies, old=True)

    await tidy()

    assert is_there(artifacts, job.folder)
    assert not is_there(artifacts, zombies)


async def test_an_output_whose_time_is_over_goes_with_all_of_its_jobs_folder(artifacts, store, tidy, given_running):
    job = await given_running()
    await store.complete_generation(job.id, job.attempt, given_file(artifacts, job.folder, old=False))

    await tidy(Retention(outputs=timedelta(days=1)))
    kept = is_there(artifacts, job.folder)
    await tidy(Retention(outputs=timedelta(microseconds=1)))

    assert kept
    assert not artifacts.path(job_folder(job.id), "").exists()
    assert (await store.get_job(ADMIN, job.id)).artifact is None


@pytest.mark.parametrize("ahead", [timedelta(days=2), timedelta(days=3650)], ids=str)
async def test_by_a_clock_that_leaps_ahead_nothing_goes_before_it_was_so_for_a_day(
    artifacts, store, clock, given_running, caplog, monkeypatch, ahead
):
    job = await given_running()
    await store.complete_generation(job.id, job.attempt, given_file(artifacts, job.folder, old=False))
    rounds = Tidying(store, artifacts, Retention(outputs=timedelta(days=1)), Memory().forget)
    monkeypatch.setattr(tidying, "EXPIRE_EVERY_S", 0.0)
    await rounds.round()

    clock.advance(ahead)
    for _ in range(2):
        await rounds.round()
    kept = is_there(artifacts, job.folder)
    for _ in range(2):
        clock.advance(timekeeping.LEAP / 2)
        await rounds.round()

    assert kept
    assert "leaps ahead" in caplog.text
    assert not is_there(artifacts, job.folder)


async def test_by_a_clock_that_was_set_right_again_all_goes_on(artifacts, store, clock, given_running, monkeypatch):
    job = await given_running()
    await store.complete_generation(job.id, job.attempt, given_file(artifacts, job.folder, old=False))
    rounds = Tidying(store, artifacts, Retention(outputs=timedelta(days=1)), Memory().forget)
    monkeypatch.setattr(tidying, "EXPIRE_EVERY_S", 0.0)
    await rounds.round()
    clock.advance(timedelta(days=3650))
    await rounds.round()
    clock.advance(-timedelta(days=3650))

    for _ in range(2):
        clock.advance(timedelta(hours=23))
        await rounds.round()

    assert not is_there(artifacts, job.folder)


async def test_calls_made_once_are_forgotten_by_that_clock_too(artifacts, store, clock, given_ready_model, monkeypatch):
    once = Once("key", "POST /generate", "fingerprint")
    made = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams(), once)).value
    rounds = Tidying(store, artifacts, Retention(), Memory().forget)
    monkeypatch.setattr(tidying, "EXPIRE_EVERY_S", 0.0)
    await rounds.round()

    clock.advance(timedelta(days=3650))
    await rounds.round()
    while_it_leapt = await store.find_made_job(ADMIN, once)
    clock.advance(-timedelta(days=3650))
    for _ in range(2):
        clock.advance(timedelta(hours=23))
        await rounds.round()

    assert while_it_leapt == made
    assert await store.find_made_job(ADMIN, once) is None


async def test_the_parts_of_a_joined_file_go_once_the_job_is_done(
    artifacts, store, tidy, given_ready_model, monkeypatch
):
    await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams(format="parquet"))
    job = (await store.claim_next({JobType.GENERATE})).job
    given_file(artifacts, job.parts_folder, old=False)
    monkeypatch.setattr(queue, "LEASE", timedelta(0))
    await store.complete_generation(job.id, job.attempt, given_file(artifacts, job.folder, old=False))

    await tidy()

    assert not is_there(artifacts, job.parts_folder)
    assert is_there(artifacts, job.folder)


async def test_a_sweep_comes_to_every_folder_some_at_a_time(artifacts, store, monkeypatch):
    monkeypatch.setattr(tidying, "FOLDERS_AT_ONCE", 2)
    strays = [f"models/{uuid4()}" for _ in range(5)]
    for stray in strays:
        given_file(artifacts, stray, old=True)
    rounds = Tidying(store, artifacts, Retention(), Memory().forget)

    left = []
    for _ in range(3):
        await rounds.round()
        left.append(sum(is_there(artifacts, stray) for stray in strays))

    assert left == [3, 1, 0]


async def test_files_that_belong_to_other_metadata_are_left_alone(artifacts, tidy):
    artifacts.claim("another server, or this one with the database that it had before")
    stray = f"datasets/{uuid4()}"
    given_file(artifacts, stray, old=True)

    await tidy()

    assert is_there(artifacts, stray)


@pytest.fixture
def held(monkeypatch) -> set[str]:
    """The names of the files that the disk does not let go."""
    names: set[str] = set()
    unlink = os.unlink

    def failing(path, *, dir_fd=None):
        if Path(path).name in names:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlink(path, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", failing)
    return names


async def test_what_cannot_be_erased_keeps_no_other_folder(store, artifacts, held):
    strays = [f"models/{uuid4()}" for _ in range(5)]
    stuck = strays[2]
    for stray in strays:
        given_file(artifacts, stray, old=True, name="stuck" if stray == stuck else "part-0")
    held.add("stuck")
    memory = Memory()

    with pytest.raises(Unavailable):
        await Tidying(store, artifacts, Retention(), memory.forget).round()

    assert [artifacts.path(stray, "").exists() for stray in strays] == [stray == stuck for stray in strays]
    assert await store.list_erasures() == (stuck,)


async def test_a_row_that_cannot_be_decoded_keeps_nothing_that_is_to_go(artifacts, store, clock, tidy, given_running):
    jobs = []
    for ends in ("completed", "failed", "failed"):
        job = await given_running()
        rows = given_file(artifacts, job.folder, old=True)
        if ends == "completed":
            await store.complete_generation(job.id, job.attempt, rows)
        else:
            await store.fail(job.id, job.attempt, JobFailure("internal_error", "It failed."))
        jobs.append(job)
    async with store._sessions.writing() as session:
        await session.execute(text("UPDATE jobs SET losses = 'not json'"))
    a_moment = timedelta(microseconds=1)
    clock.advance(timedelta(seconds=1))

    await tidy(Retention(outputs=a_moment, failed_jobs=a_moment))

    assert [is_there(artifacts, job.folder) for job in jobs] == [False] * 3


async def test_a_step_that_fails_keeps_no_other(artifacts, store, tidy, monkeypatch, caplog):
    stray = f"models/{uuid4()}"
    given_file(artifacts, stray, old=True)

    async def fail(*_: object) -> int:
        raise LookupError

    for name in ("forget_old_calls", "expire_outputs", "forget_audit"):
        monkeypatch.setattr(store, name, fail)

    await tidy(Retention(outputs=timedelta(days=1), audit=timedelta(days=1)))

    assert not is_there(artifacts, stray)
    assert [caplog.text.count(name) for name in ("old calls, Lo", "outputs, Lo", "audit events, Lo")] == [1, 1, 1]


async def test_folders_are_erased_several_at_a_time(store, artifacts, monkeypatch):
    strays = [f"models/{uuid4()}" for _ in range(2 * tidying.ERASED_AT_ONCE)]
    for stray in strays:
        given_file(artifacts, stray, old=True)
    all_at_work, erase = threading.Barrier(tidying.ERASED_AT_ONCE, timeout=10), artifacts.erase

    def erase_beside_others(location: str) -> None:
        all_at_work.wait()
        erase(location)

    monkeypatch.setattr(artifacts, "erase", erase_beside_others)
    await Tidying(store, artifacts, Retention(), Memory().forget).round()

    assert [is_there(artifacts, stray) for stray in strays] == [False] * len(strays)
    assert await store.list_erasures() == ()


async def test_what_could_not_be_erased_is_erased_later(store, artifacts, held):
    stray = f"models/{uuid4()}"
    given_file(artifacts, stray, old=True)
    memory = Memory()
    rounds = Tidying(store, artifacts, Retention(), memory.forget)
    held.add("part-0")

    with pytest.raises(Unavailable):
        await rounds.round()
    assert memory.forgotten == []
    held.clear()
    await rounds.round()

    assert not is_there(artifacts, stray)
    assert memory.forgotten == [stray]
    assert await store.list_erasures() == ()
