"""What an attempt tells of itself, and hears of a store that is away."""

from typing import Any

import pytest
import ray
from ray.exceptions import ActorUnavailableError, GetTimeoutError, ObjectLostError, RayTaskError

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.errors import Cancelled, Unavailable
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.runtime.teller import Teller
from tests.given import a_job


@pytest.mark.parametrize(
    "silence", [GetTimeoutError("the GCS server is dead or under high load"), ValueError("no actor")]
)
def test_an_attempt_that_begins_while_the_head_is_silent_is_put_off(monkeypatch, silence):
    def get_actor(*_: object) -> None:
        raise silence

    monkeypatch.setattr(ray, "get_actor", get_actor)

    with pytest.raises(Unavailable):
        Teller(a_job(JobType.TRAIN))


class Listening:
    """Stands for the handle of the store's actor: remembers what it is told, and never answers well."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    @property
    def call(self) -> "Listening":
        return self

    def remote(self, _method: str, _subject: object, *told: Any) -> object:
        self.told.append(told)
        return self


@pytest.mark.parametrize("seconds", [0.0, 12.5])
def test_progress_is_told_with_the_seconds_of_the_attempt_or_those_that_a_training_counts(monkeypatch, seconds):
    store, job = Listening(), a_job(JobType.REPORT)
    monkeypatch.setattr(ray, "get_actor", lambda *_: store)
    teller = Teller(job)
    teller._began -= 60

    teller.progress(Progress(0.5, "comparing the tables", seconds=seconds))

    ((job_id, attempt, progress),) = store.told
    assert (job_id, attempt, progress.fraction) == (job.id, job.attempt, 0.5)
    assert progress.seconds == seconds or 60 <= progress.seconds < 600


def test_that_the_last_epoch_is_over_is_told_though_the_store_is_slow_to_answer(monkeypatch):
    store = Listening()
    monkeypatch.setattr(ray, "get_actor", lambda *_: store)
    monkeypatch.setattr(ray, "wait", lambda refs, timeout: ([], refs))
    teller = Teller(a_job(JobType.TRAIN))

    for progress in (Progress(0.2, epochs=1), *4 * [Progress(0.4, epochs=1)], Progress(1.0, epochs=1)):
        teller.progress(progress)
    teller.progress(Progress(1.0, "calibrating"))

    assert [progress.epochs for _, _, progress in store.told] == [1, 5]


def test_a_quick_training_tells_of_itself_twice_a_second_and_of_all_its_epochs(monkeypatch):
    store, now = Listening(), [100.0]
    monkeypatch.setattr(ray, "get_actor", lambda *_: store)
    monkeypatch.setattr(ray, "wait", lambda refs, timeout: (refs, []))
    monkeypatch.setattr(ray, "get", lambda _: True)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    teller = Teller(a_job(JobType.TRAIN))

    for epoch in range(1, 11):
        teller.progress(Progress(epoch / 20, epochs=1))
        now[0] += 0.125

    assert [progress.epochs for _, _, progress in store.told] == [1, 4, 4]


def test_a_training_that_is_no_longer_wanted_ends_at_its_next_report(monkeypatch):
    store = Listening()
    monkeypatch.setattr(ray, "get_actor", lambda *_: store)
    monkeypatch.setattr(ray, "wait", lambda refs, timeout: (refs, []))
    monkeypatch.setattr(ray, "get", lambda _: False)
    teller = Teller(a_job(JobType.TRAIN))
    teller.progress(Progress(1.0, epochs=1))

    with pytest.raises(Cancelled):
        teller.progress(Progress(1.0, "refining"))


@pytest.mark.parametrize(
    "failure",
    [
        ActorUnavailableError("it starts again", None),
        ObjectLostError("00", None, ""),
        RayTaskError("call", "", ValueError()).as_instanceof_cause(),
        RayTaskError("call", "", Unavailable("away", "store_unavailable")).as_instanceof_cause(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_work_goes_on_whatever_becomes_of_a_report_on_it(monkeypatch, failure):
    def get(_: object) -> None:
        raise failure

    store = Listening()
    monkeypatch.setattr(ray, "get_actor", lambda *_: store)
    monkeypatch.setattr(ray, "wait", lambda refs, timeout: (refs, []))
    monkeypatch.setattr(ray, "get", get)
    teller = Teller(a_job(JobType.TRAIN))

    for progress in (Progress(1.0, epochs=3), Progress(1.0, "calibrating")):
        teller.progress(progress)

    assert [progress.epochs for _, _, progress in store.told] == [3, 3]  # which it has perhaps not heard of
