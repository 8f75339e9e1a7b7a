"""Ray Data around `jobs/generate.py`, for generations that are worth the whole cluster.

The dispatcher imports this: what the work itself needs is imported where it is done.
"""

from contextlib import closing
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact, Assignment, Part, Progress
from synthgen_ray.domain.log_context import about
from synthgen_ray.jobs.parts import PartPlan, plan_parts
from synthgen_ray.runtime.processes import ROOM_COMES_S
from synthgen_ray.runtime.raising import without_data
from synthgen_ray.runtime.spread import Row, made_by_all
from synthgen_ray.runtime.stored import artifacts_of
from synthgen_ray.runtime.teller import Teller
from synthgen_ray.runtime.working import begin_work, working_on
from synthgen_ray.settings import LogFormat, Settings

if TYPE_CHECKING:
    from synthgen_ray.synthesizers.base import Synthesizer


class PartMaker:
    """Holds the model; writes a part a call."""

    def __init__(self, assignment: Assignment, artifacts: Artifacts, log_format: LogFormat) -> None:
        self._assignment, self._artifacts, self._log_format = assignment, artifacts, log_format
        self._plans = plans_of(assignment)

    @without_data
    def __call__(self, row: Row) -> Row:
        from synthgen_ray.jobs.generate import write_part

        job = self._assignment.job
        with about(job_id=job.id, model_id=job.model_id):
            part = write_part(self._model, self._assignment, self._plans[row["index"]], self._artifacts)
        return {"index": row["index"], "part": asdict(part)}

    @cached_property
    def _model(self) -> "Synthesizer":
        # With the first part: what is raised while an actor starts does not arrive as it was.
        from synthgen_ray.jobs.models import load_model

        begin_work(self._log_format, self._artifacts, threads=1)
        return load_model(self._assignment.source, self._artifacts)


def generate(assignment: Assignment, settings: Settings) -> Artifact:
    """By all CPUs of the cluster, whose processes end with this one.

    Raises: Postponed, when none was free in `ROOM_COMES_S`; WorkerLost; Cancelled; Unavailable; what the sampling
    raises.
    """
    from synthgen_ray.jobs.generate import publish

    job = assignment.job
    artifacts = artifacts_of(settings)
    with working_on(job, settings.log_format, artifacts):
        teller = Teller(job)
        plans = plans_of(assignment)
        parts: dict[int, Part] = {}
        rows = 0
        maker = (assignment, artifacts, settings.log_format)
        indexes = [{"index": plan.index} for plan in plans]
        # An error of ours would keep it, and with it its processes, until Python comes to look for what nobody needs.
        with closing(made_by_all(PartMaker, maker, indexes, patience_s=ROOM_COMES_S)) as all_made:
            for made in all_made:
                part = parts[made["index"]] = Part(**made["part"])
                rows += part.num_rows
                teller.progress(Progress.of_rows(rows, job.config["num_rows"]))
        return publish(job, [parts[plan.index] for plan in plans], artifacts)


def plans_of(assignment: Assignment) -> tuple[PartPlan, ...]:
    return plan_parts(assignment.job.config["num_rows"], assignment.chunk_rows)
