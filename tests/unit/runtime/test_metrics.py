"""What an observer hears moves its own counter and no other, by as much, and what may never happen stands at zero."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from synthgen_ray.domain.lifecycle import QUEUED, JobType
from synthgen_ray.jobs.observing import AttemptObserver, Outcome
from synthgen_ray.runtime import metrics
from synthgen_ray.store.observing import Observer

Moved = Counter[tuple[str, frozenset[tuple[str, str]]]]


@pytest.fixture
def moved(monkeypatch) -> Moved:
    """By how much each series of Ray's has moved, also by nothing."""
    moved: Moved = Counter()

    class Recorded:
        """Of `ray.util.metrics`, whose figures come to light in a cluster alone: `tests/cluster/test_metrics.py`."""

        def __init__(self, name: str, description: str, *given: object) -> None:
            assert description
            self._name = name

        def _record(self, value: float, tags: dict[str, str]) -> None:
            moved[self._name.removeprefix("synthgen_"), frozenset(tags.items())] += value

        inc = observe = set = _record

    for kind in ("Counter", "Gauge", "Histogram"):
        monkeypatch.setattr(metrics, kind, Recorded)
    for shared in (metrics.generated_rows, metrics.damaged_files):
        shared.cache_clear()
    yield moved
    for shared in (metrics.generated_rows, metrics.damaged_files):
        shared.cache_clear()


def series(name: str, **tags: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(tags.items())


def test_what_the_store_tells(moved):
    observer: Observer = metrics.StoreMetrics()
    names = ("lease_expiries", "interrupted_attempts", "deadlines_exceeded", "fenced_writes", "training_epochs")
    assert moved == {series(f"{name}_total"): 0 for name in names}

    observer.leases_expired(2)
    observer.attempts_interrupted(3)
    observer.deadlines_exceeded(5)
    observer.write_fenced()
    observer.epochs_ended(7)
    observer.epochs_ended(0)

    assert moved == {series(f"{name}_total"): by for name, by in zip(names, (2, 3, 5, 1, 7), strict=True)}


async def test_what_the_dispatcher_tells(moved, given_training):
    observer: AttemptObserver = metrics.JobMetrics()
    assert {each for each in moved if each[0] == "attempts_total"} == {
        series("attempts_total", kind=kind, outcome=outcome) for kind in QUEUED for outcome in Outcome
    }
    job = replace(await given_training(), attempt=1)
    job = replace(job, started_at=job.created_at + timedelta(seconds=7))

    observer.began(job)
    observer.began(replace(job, attempt=2))  # which has not waited to be claimed
    observer.ended(job, Outcome.LOST, 11)
    observer.generated(13)

    assert +moved == {
        series("job_claim_wait_seconds", kind=JobType.TRAIN): 7,
        series("job_run_seconds", kind=JobType.TRAIN, outcome=Outcome.LOST): 11,
        series("attempts_total", kind=JobType.TRAIN, outcome=Outcome.LOST): 1,
        series("generated_rows_total", way="job"): 13,
    }


def test_what_the_edge_and_the_files_tell(moved):
    edge = metrics.EdgeMetrics()

    edge.answered(404)
    edge.crowded()
    edge.upload_refused("empty_file")
    metrics.count_damaged()

    assert +moved == {
        series("http_answers_total", status="404"): 1,
        series("crowded_requests_total"): 1,
        series("refused_uploads_total", reason="empty_file"): 1,
        series("damaged_files_total"): 1,
    }
    assert series("refused_uploads_total", reason="insufficient_storage") in moved
