"""A training: a table in, a model's file out. Every worker of it learns, the first one keeps."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.reading import read_table
from synthgen_ray.domain.entities import MODEL_FILE, Assignment, Job, LossCurve, Progress, Quality, TrainedModel
from synthgen_ray.domain.errors import frames_of
from synthgen_ray.domain.widths import listed
from synthgen_ray.jobs.failures import computing
from synthgen_ray.quality.estimating import estimate
from synthgen_ray.synthesizers.base import Synthesizer, create
from synthgen_ray.synthesizers.holdout import learnt_and_held_out
from synthgen_ray.synthesizers.training.checkpoint import Checkpoints, Losses

log = logging.getLogger(__name__)

ESTIMATED_ROWS, ESTIMATE_SEED = 5000, 0
KEPT_EPOCHS = 300  # of which the losses are kept: as many as a curve shows


@dataclass(frozen=True)
class Learnt:
    """A trained model, the table that it was given, and how long it took."""

    model: Synthesizer
    table: pa.Table
    seconds: float  # in all attempts


def learn(
    assignment: Assignment,
    artifacts: Artifacts,
    report: Callable[[Progress], None],
    checkpoints: Checkpoints | None = None,
) -> Learnt:
    """Train. `report` may raise to stop the training.

    Raises: SynthGenError, when the table cannot be learnt; MemoryError; WorkerLost, when another worker of it is gone;
    whatever `report` and `checkpoints` raise.
    """
    job = assignment.job
    report(replace(job.progress, message="reading the table"))
    with artifacts.verified_file(assignment.source) as file:
        table = read_table(file)
    seconds = job.progress.seconds

    def report_and_count(progress: Progress) -> None:
        nonlocal seconds
        seconds = progress.seconds
        report(progress)

    model = create(job.model_type, {**job.config, "seed": job.seed})
    with computing():
        model.fit(table, columns=assignment.columns, on_progress=report_and_count, checkpoints=checkpoints)
    return Learnt(model, table, seconds)


def keep(learnt: Learnt, assignment: Assignment, artifacts: Artifacts) -> TrainedModel:
    """Write the model's file. It is published when the store takes what this answers."""
    model, folder = learnt.model, assignment.job.folder
    with artifacts.scratch.file() as file:
        model.save(file)
        artifacts.adopt(file, folder, MODEL_FILE)
    artifact = artifacts.seal(folder, [artifacts.part(folder, MODEL_FILE, num_rows=0)])
    quality = _quality(assignment.job, learnt)
    columns, losses = listed(model.learned_columns), curve_of(model.losses)
    return TrainedModel(artifact, columns, model.chunk_rows, quality, losses, learnt.seconds)


def _quality(job: Job, learnt: Learnt) -> Quality | None:
    try:
        return estimated(learnt.model, learnt.table)
    except Exception as error:  # noqa: BLE001 - two numbers are not worth the hours of a training
        log.error("job %s: the estimate of its quality failed: %s", job.id, frames_of(error))
        return None


def estimated(model: Synthesizer, table: pa.Table) -> Quality:
    """By some of the rows that it has learnt and as many of its own: good to a hundredth, in a moment."""
    seen, _ = learnt_and_held_out(table, model.params)
    some = np.random.default_rng(ESTIMATE_SEED).permutation(seen.num_rows)[:ESTIMATED_ROWS]
    real = seen.take(pa.array(np.sort(some)))
    found = estimate(real, model.sample(real.num_rows, ESTIMATE_SEED), model.columns)
    return Quality(found.column_shapes, found.pair_trends)


def curve_of(losses: Losses) -> LossCurve:
    """At equal distances, the last epoch among them."""
    points = list(losses.items())
    return tuple(reversed(points[:: -math.ceil(len(points) / KEPT_EPOCHS)])) if points else ()
