"""A training: a table in, a model's file out. Every worker of it learns, the first one keeps."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.reading import read_table
from synthgen_ray.domain.entities import MODEL_FILE, Assignment, Progress, Quality, TrainedModel
from synthgen_ray.quality import estimate
from synthgen_ray.synthesizers.base import Synthesizer, create
from synthgen_ray.synthesizers.checkpoint import Checkpoints
from synthgen_ray.synthesizers.holdout import learnt_and_held_out

ESTIMATED_ROWS, ESTIMATE_SEED = 5000, 0


def learn(
    assignment: Assignment,
    artifacts: Artifacts,
    report: Callable[[Progress], None],
    checkpoints: Checkpoints | None = None,
) -> tuple[Synthesizer, pa.Table]:
    """The trained model, and the table that it was given. `report` may raise to stop the training.

    Raises: SynthGenError, when the table cannot be learnt; WorkerLost, when another worker of it is gone; whatever
    `report` and `checkpoints` raise.
    """
    job = assignment.job
    report(Progress(job.progress.fraction, "reading the table", seconds=job.progress.seconds))
    with artifacts.verified_file(assignment.source) as file:
        table = read_table(file)
    model = create(job.model_type, {**job.config, "seed": job.seed})
    return model.fit(table, columns=assignment.columns, on_progress=report, checkpoints=checkpoints), table


def keep(model: Synthesizer, table: pa.Table, assignment: Assignment, artifacts: Artifacts) -> TrainedModel:
    """Write the model's file. It is published when the store takes what this answers."""
    folder = assignment.job.folder
    with artifacts.scratch.file() as file:
        model.save(file)
        artifacts.adopt(file, folder, MODEL_FILE)
    artifact = artifacts.seal(folder, [artifacts.part(folder, MODEL_FILE, num_rows=0)])
    return TrainedModel(artifact, model.learned_columns, model.chunk_rows, _quality(model, table))


def _quality(model: Synthesizer, table: pa.Table) -> Quality:
    """By some of the rows that it has learnt and as many of its own: good to a hundredth, in a moment."""
    learnt, _ = learnt_and_held_out(table, model.params)
    some = np.random.default_rng(ESTIMATE_SEED).permutation(learnt.num_rows)[:ESTIMATED_ROWS]
    real = learnt.take(pa.array(np.sort(some)))
    found = estimate(real, model.sample(real.num_rows, ESTIMATE_SEED), model.columns)
    return Quality(found.column_shapes, found.pair_trends)
