"""What an operator counts and times, for Ray's dashboard and for Prometheus, which call each `ray_<name>`.

Ray's agent of a node adds up what its processes report every ten seconds, and keeps the sums of those that have ended.
No tag is a user's word or an id of ours: there are as many series of a process as there are kinds.
"""

from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from ray.util.metrics import Counter, Gauge, Histogram

from synthgen_ray.domain.errors import insufficient_storage
from synthgen_ray.domain.lifecycle import QUEUED
from synthgen_ray.jobs.observing import Outcome

if TYPE_CHECKING:
    from synthgen_ray.domain.entities import Job
    from synthgen_ray.store.figures import QueueFigures

STATUSES = ("200", "429", "500", "503", "507")  # others come with their first
RUN_SECONDS = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0]
WAIT_SECONDS = [0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0]


class Count:
    """A counter that stands at zero from its process's start: of one that comes to be with its first event, Prometheus
    sees no increase."""

    def __init__(self, name: str, description: str, **tags: Iterable[str]) -> None:
        self._counter = Counter(name, description, tuple(tags))
        for values in product(*tags.values()):
            self._counter._record(0, dict(zip(tags, values, strict=True)))  # `inc` takes no zero

    def add(self, number: float = 1, **tags: str) -> None:
        """Nothing for 0, or less."""
        if number > 0:
            self._counter.inc(number, tags)


class QueueMetrics:
    """The jobs as they are in the database, whichever process wrote them. Where servers share one each shows all of
    it: take the maximum, not the sum."""

    def __init__(self) -> None:
        self._jobs = Gauge("synthgen_jobs", "Jobs in the database, by kind and status.", ("kind", "status"))
        self._oldest = Gauge(
            "synthgen_oldest_pending_job_age_seconds",
            "How long the job that waits longest has waited, by kind; 0 where none waits.",
            ("kind",),
        )

    def show(self, figures: "QueueFigures") -> None:
        for (kind, status), jobs in figures.jobs.items():
            self._jobs.set(jobs, {"kind": kind, "status": status})
        for kind, age in figures.oldest_pending.items():
            self._oldest.set(age.total_seconds(), {"kind": kind})


class JobMetrics:
    """An `AttemptObserver` of the dispatcher."""

    def __init__(self) -> None:
        self._run = Histogram(
            "synthgen_job_run_seconds",
            "How long an attempt at a job ran, by kind and outcome; lost, unavailable and postponed ones run again.",
            RUN_SECONDS,
            ("kind", "outcome"),
        )
        self._wait = Histogram(
            "synthgen_job_claim_wait_seconds",
            "How long a job waited until it was first claimed, by kind.",
            WAIT_SECONDS,
            ("kind",),
        )
        self._attempts = Count(
            "synthgen_attempts_total", "Attempts that ended, by kind and outcome.", kind=QUEUED, outcome=Outcome
        )
        self._rows = generated_rows()
        damaged_files()

    def began(self, job: "Job") -> None:
        if job.attempt == 1 and job.started_at:
            waited_s = (job.started_at - job.created_at).total_seconds()
            self._wait.observe(max(0.0, waited_s), {"kind": job.job_type})

    def ended(self, job: "Job", outcome: Outcome, seconds: float) -> None:
        self._run.observe(seconds, {"kind": job.job_type, "outcome": outcome})
        self._attempts.add(kind=job.job_type, outcome=outcome)

    def generated(self, rows: int) -> None:
        self._rows.add(rows, way="job")


class NodeMetrics:
    def __init__(self) -> None:
        self._lost = Count("synthgen_lost_nodes_total", "Nodes that died and were not told to.")

    def lost(self, nodes: int) -> None:
        self._lost.add(nodes)


class StoreMetrics:
    """An `Observer` of the store. Epochs are counted here, not where they are learnt: Ray keeps a series of each
    process that ever counted anything."""

    def __init__(self) -> None:
        self._expiries = Count(
            "synthgen_lease_expiries_total", "Running jobs taken from dispatchers, and batches, that had fallen silent."
        )
        self._fenced = Count(
            "synthgen_fenced_writes_total",
            "Writes refused to attempts that were no longer wanted: cancelled, deleted or given to others.",
        )
        self._interrupted = Count(
            "synthgen_interrupted_attempts_total",
            "Attempts that ran when their dispatcher ended without giving them back.",
        )
        self._overdue = Count("synthgen_deadlines_exceeded_total", "Jobs that were failed since their time was over.")
        self._epochs = Count("synthgen_training_epochs_total", "Epochs that trainings have told of.")

    def leases_expired(self, jobs: int) -> None:
        self._expiries.add(jobs)

    def attempts_interrupted(self, jobs: int) -> None:
        self._interrupted.add(jobs)

    def deadlines_exceeded(self, jobs: int) -> None:
        self._overdue.add(jobs)

    def write_fenced(self) -> None:
        self._fenced.add()

    def epochs_ended(self, epochs: int) -> None:
        self._epochs.add(epochs)


class SamplerMetrics:
    """The models that a sampler keeps in memory, and the rows that it draws for those who wait."""

    def __init__(self) -> None:
        self.hits = Count("synthgen_model_cache_hits_total", "Calls whose model was in a sampler's memory.")
        self.loads = Count("synthgen_model_cache_loads_total", "Models that samplers read from their files.")
        self._bytes = Gauge("synthgen_model_cache_bytes", "Models in a sampler's memory, by the sizes of their files.")
        self.rows = generated_rows()
        damaged_files()

    def holds(self, num_bytes: int) -> None:
        self._bytes.set(num_bytes)


@cache
def generated_rows() -> Count:
    return Count(
        "synthgen_generated_rows_total",
        "Rows drawn: for jobs once they are published, online for each call of a sampler, also of who then left.",
        way=("job", "online"),
    )


@cache
def damaged_files() -> Count:
    """At zero from the first call in a process: at the start of those that last, elsewhere with the first event."""
    return Count("synthgen_damaged_files_total", "Looks at stored files that were not those that had been published.")


def count_damaged() -> None:
    damaged_files().add()


class EdgeMetrics:
    """What clients are answered, by one process that they reach."""

    def __init__(self) -> None:
        self._answers = Count("synthgen_http_answers_total", "Answers to requests, by status.", status=STATUSES)
        self._crowded = Count(
            "synthgen_crowded_requests_total", "Requests turned away since more were asked at once than are answered."
        )
        self._refused = Count(
            "synthgen_refused_uploads_total",
            "Uploads that were refused, by the code of the answer.",
            reason=(insufficient_storage().code,),  # others come with their first
        )

    def answered(self, status: int) -> None:
        self._answers.add(status=str(status))

    def crowded(self) -> None:
        self._crowded.add()

    def upload_refused(self, code: str) -> None:
        self._refused.add(reason=code)
