"""What a batch leaves in its server's metadata when it ends before its time."""

import signal
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from ray.exceptions import GetTimeoutError

from synthgen_ray.domain.entities import BATCH_STOPPED
from synthgen_ray.domain.errors import Cancelled, JobError, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.log_context import subject
from synthgen_ray.runtime import registration
from synthgen_ray.runtime.registration import STOP, _reason, _State, shown
from tests.given import a_job


@pytest.mark.parametrize("error", [WorkerLost(), KeyboardInterrupt(), SystemExit(143)])
def test_one_that_can_be_gone_on_with_was_stopped(error):
    assert _reason(error) == BATCH_STOPPED


def test_an_error_of_ours_is_the_reason():
    failure = _reason(JobError("The rows are too large.", "rows_too_large"))

    assert (failure.code, failure.retryable) == ("rows_too_large", False)


@pytest.mark.parametrize(("made", "left_s"), [(0, None), (5, 120.0), (90, 60 / 9)])
def test_the_rest_takes_as_long_as_what_this_run_made(made, left_s):
    job = a_job(JobType.BATCH)
    state = _State(job, 100)
    state._began -= 60

    state.on_rows(90, made)

    assert replace(job, progress=state.progress()).seconds_left == (left_s and pytest.approx(left_s, abs=1))


class Superseding:
    """A store that takes the batch for stopped."""

    async def renew_batch(self, *_: object) -> bool:
        return False

    async def fail(self, *_: object) -> None: ...


@pytest.fixture
def finds(monkeypatch) -> list[Any]:
    """What is found of the store: one after the other, then always the last."""
    found: list[Any] = [Superseding()]

    def find() -> Any:
        store = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(store, Exception):
            raise store
        return store

    monkeypatch.setattr(registration, "metadata_store", find)
    monkeypatch.setattr(registration, "HEARTBEAT_S", 0.01)
    registration._store.cache_clear()
    return found


@pytest.mark.usefixtures("finds")
def test_one_that_is_no_longer_wanted_ends_in_the_middle_of_a_file():
    before = signal.getsignal(STOP)
    goes_on = threading.Event()

    with pytest.raises(Cancelled), shown(a_job(JobType.BATCH), 10):
        goes_on.wait(20)
        raise AssertionError("the file was made to its end")

    assert signal.getsignal(STOP) is before


@pytest.mark.usefixtures("finds")
def test_one_that_was_cancelled_since_its_last_beat_does_not_say_that_all_is_there(monkeypatch):
    monkeypatch.setattr(registration, "HEARTBEAT_S", 60.0)

    with pytest.raises(Cancelled), shown(a_job(JobType.BATCH), 10) as on_rows:
        on_rows(9, 9)
        on_rows(10, 10)
        raise AssertionError("it went on to its end")


def test_a_head_that_does_not_answer_for_a_while_does_not_keep_a_batch_from_hearing_that_it_is_not_wanted(finds):
    finds.insert(0, GetTimeoutError("the GCS server is dead or under high load"))

    with pytest.raises(Cancelled), shown(a_job(JobType.BATCH), 10):
        threading.Event().wait(20)
        raise AssertionError("it did not hear of it")


def test_a_head_that_falls_silent_for_long_keeps_nobody_from_hearing_of_a_batch(finds, monkeypatch):
    finds[:] = [store := Wanting(), GetTimeoutError("the GCS server is dead or under high load")]
    monkeypatch.setattr(registration, "INSIST_S", 0.1)

    with shown(a_job(JobType.BATCH), 10):
        assert store.renewed.acquire(timeout=20)
        assert store.renewed.acquire(timeout=20)

    assert store.ended == ["completed"]


class Broken(Superseding):
    async def renew_batch(self, *_: object) -> bool:
        raise ZeroDivisionError


def test_one_that_once_could_not_show_that_it_lives_shows_it_again(finds, our_lines):
    finds.insert(0, Broken())
    job = a_job(JobType.BATCH)

    with pytest.raises(Cancelled), shown(job, 10):
        threading.Event().wait(20)
        raise AssertionError("it was not asked again")

    (line,) = our_lines()
    assert "ZeroDivisionError" in line["message"]
    assert (line["job_id"], line["model_id"]) == (str(job.id), str(job.model_id))


class Wanting:
    """A store that keeps the batch."""

    def __init__(self) -> None:
        self.renewed = threading.Semaphore(0)
        self.ended: list[str] = []

    async def renew_batch(self, *_: object) -> bool:
        self.renewed.release()
        return True

    async def fail(self, *given: object) -> None:
        self.ended.append("failed")

    async def complete_batch(self, *_: object) -> None:
        self.ended.append("completed")


def test_one_whose_end_comes_first_is_complete(finds):
    finds[:] = [store := Wanting()]

    job = a_job(JobType.BATCH)
    with shown(job, 10) as on_rows:
        assert (subject()["job_id"], subject()["model_id"]) == (str(job.id), str(job.model_id))
        on_rows(10, 10)

    assert store.ended == ["completed"]


def test_one_that_its_own_people_interrupt_was_not_cancelled(finds):
    finds[:] = [store := Wanting()]

    with pytest.raises(KeyboardInterrupt), shown(a_job(JobType.BATCH), 10):
        raise KeyboardInterrupt

    assert store.ended == ["failed"]


class AwayAtTheEnd(Wanting):
    """A store that is away when all rows are there."""

    back_at = 0.0

    async def complete_batch(self, *given: object) -> None:
        if time.monotonic() < self.back_at:
            raise Unavailable("The store is away.", "store_unavailable")
        await super().complete_batch(*given)


def test_a_store_that_is_away_for_long_when_all_rows_are_there_hears_of_it_when_it_is_back(finds, monkeypatch):
    finds[:] = [store := AwayAtTheEnd()]
    monkeypatch.setattr(registration, "INSIST_S", 0.05)  # how long it is told of a failure

    with shown(a_job(JobType.BATCH), 10):
        store.back_at = time.monotonic() + 0.5

    assert store.ended == ["completed"]
