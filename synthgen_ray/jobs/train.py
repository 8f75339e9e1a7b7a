"""A training: a table in, a model's file out. Every worker of it learns, the first one keeps."""

from collections.abc import Callable

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.reading import read_table
from synthgen_ray.domain.entities import MODEL_FILE, Assignment, Job, Progress, TrainedModel
from synthgen_ray.synthesizers.base import Synthesizer, create
from synthgen_ray.synthesizers.checkpoint import Checkpoints


def learn(
    assignment: Assignment,
    artifacts: Artifacts,
    report: Callable[[Progress], None],
    checkpoints: Checkpoints | None = None,
) -> Synthesizer:
    """The trained model. `report` may raise to stop the training.

    Raises: SynthGenError, when the table cannot be learnt; WorkerLost, when another worker of it is gone; whatever
    `report` and `checkpoints` raise.
    """
    job = assignment.job
    report(Progress(job.progress.fraction, "reading the table", seconds=job.progress.seconds))
    with artifacts.verified_file(assignment.source) as file:
        table = read_table(file)
    model = create(job.model_type, {**job.config, "seed": job.seed})
    return model.fit(table, columns=assignment.columns, on_progress=report, checkpoints=checkpoints)


def keep(model: Synthesizer, job: Job, artifacts: Artifacts) -> TrainedModel:
    """Write the model's file. It is published when the store takes what this answers."""
    with artifacts.scratch.file() as file:
        model.save(file)
        artifacts.adopt(file, job.folder, MODEL_FILE)
    part = artifacts.part(job.folder, MODEL_FILE, num_rows=0)
    return TrainedModel(artifacts.seal(job.folder, [part]), model.learned_columns, model.chunk_rows)
