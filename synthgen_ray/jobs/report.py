"""A report: a model and the table that it learnt in; out, how good and how private its rows are, as a page and as
JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from math import ceil

import numpy as np
import pyarrow as pa

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.reading import read_table
from synthgen_ray.datasets.reading_back import read_back
from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Assignment, Job, MadeReport, Output, Progress
from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import Condition, Range
from synthgen_ray.domain.reports import DRAWN_ROWS, MAX_ROWS, MIN_ROWS, ReportFormat, ReportParams, ReportScores
from synthgen_ray.jobs.models import load_model
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Assessment, Level
from synthgen_ray.quality.page import About, render
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.holdout import learnt_and_held_out
from synthgen_ray.synthesizers.model_file import releases

OnProgress = Callable[[Progress], None]

DRAWN = 0.2  # of the way, when the rows are there
SHOWN = 0.95  # when all is known that the page shows
BATCH_ROWS = 65_536  # hashed at a time
LEAST_K = 5  # rows that stand behind whatever the page shows of the real table


def make_report(assignment: Assignment, artifacts: Artifacts, on_progress: OnProgress) -> MadeReport:
    """Judge the rows of a model against those that it learnt and those that it never saw. Repeating it gives the same
    report. `on_progress` may raise to stop it.

    Raises: InvalidTable, for rows that cannot be judged; JobError, for a model's file that is damaged, or conditions
    that too few real rows fit; Gone; whatever `on_progress` raises.
    """
    job, params = assignment.job, ReportParams.model_validate(assignment.job.config, strict=False)
    on_progress(Progress(0.0, "reading the table"))
    model = load_model(assignment.source, artifacts)
    k = max(LEAST_K, model.params.min_category_count)
    real, holdout = _learnt_and_held_out(assignment, model, artifacts)
    if conditions := _conditions(assignment):
        real, holdout = _fitting(real, holdout, model, conditions, k)
    if assignment.output:
        synthetic = _read(assignment.output, model, artifacts)
    else:
        synthetic = _drawn(model, params.num_rows or min(real.num_rows, DRAWN_ROWS), job.seed, on_progress)

    def on_assessed(share: float) -> None:
        on_progress(Progress(DRAWN + share * (SHOWN - DRAWN), "comparing the tables"))

    assessment = assess(
        _with_numbers(real, model),
        _with_numbers(synthetic, model),
        None if holdout is None else _with_numbers(holdout, model),
        _with_kinds(assignment.columns, model),
        target=params.target,
        seed=job.seed,
        k=k,
        generated_rows=assignment.output.artifact.num_rows if assignment.output else None,
        on_progress=on_assessed,
    )
    on_progress(Progress(SHOWN, "drawing the page"))
    contents = {
        ReportFormat.HTML: render(assessment, _about(assignment, model)),
        ReportFormat.JSON: assessment.model_dump_json(indent=2),
    }
    return MadeReport(_publish(job, contents, artifacts), scores_of(assessment))


def scores_of(assessment: Assessment) -> ReportScores:
    """What the report's row shows of it."""
    fidelity, utility, privacy = assessment.fidelity, assessment.utility, assessment.privacy
    return ReportScores(
        verdict=Level.worst_of(finding.level for finding in assessment.verdict) or Level.GOOD,
        column_shapes=fidelity.column_shapes.value,
        pair_trends=fidelity.pair_trends.value,
        detection_auc=fidelity.detection_auc.value,
        utility=utility.synthetic.value if utility else None,
        utility_real=utility.real.value if utility else None,
        copies=privacy.copies.value,
        distance_share=privacy.distance_share.value if privacy.distance_share else None,
    )


def _learnt_and_held_out(
    assignment: Assignment, model: Synthesizer, artifacts: Artifacts
) -> tuple[pa.Table, pa.Table | None]:
    """The table that the model's training was given, cut as it was there."""
    if assignment.table is None:
        raise LookupError(f"report {assignment.job.id} has no table")
    with artifacts.verified_file(assignment.table) as file:
        return learnt_and_held_out(read_table(file), model.params)


def _conditions(assignment: Assignment) -> Mapping[str, Condition]:
    return assignment.output.conditions if assignment.output else {}


def _fitting(
    real: pa.Table, holdout: pa.Table | None, model: Synthesizer, conditions: Mapping[str, Condition], k: int
) -> tuple[pa.Table, pa.Table | None]:
    """Real rows that fit the conditions of a generation: beside all of them its own would look wrong.

    Raises: JobError, if there are some of which too few fit: nothing is told of so few.
    """

    def fitting(rows: pa.Table, which: str, more: str) -> pa.Table:
        fit, least = model.obeying(rows, conditions), max(k, MIN_ROWS) + 2 * k
        if fit.num_rows < least:
            raise _too_few(which, least, more)
        return without_some(fit, k)

    learnt = fitting(real, "that the model learnt", "or none")
    if holdout is None:
        return learnt, None
    return learnt, fitting(holdout, "that training never saw", "or of a model with a larger `holdout_fraction`")


def without_some(rows: pa.Table, k: int) -> pa.Table:
    """All but k to 2 k - 1 of them, by chance, the same of the same rows.

    Else two reports, on conditions that one real row fits and does not, would tell by their difference all of that row.
    """
    digest = sha256()
    for batch in rows.combine_chunks().to_batches(max_chunksize=BATCH_ROWS):
        digest.update(batch.serialize())
    chance = np.random.default_rng(int.from_bytes(digest.digest()))
    left = rows.num_rows - int(chance.integers(k, 2 * k))
    return rows.take(np.sort(chance.choice(rows.num_rows, left, replace=False)))


def _too_few(which: str, least: int, more: str) -> JobError:
    detail = (
        f"Of the real rows {which}, fewer than {least} fit the conditions of the generation: too few to tell anything"
        f" of. Ask for a report on a generation with wider conditions, {more}."
    )
    return JobError(detail, "too_few_fitting_rows")


def _drawn(model: Synthesizer, num_rows: int, seed: int, on_progress: OnProgress) -> pa.Table:
    """The rows that a generation of this seed has."""
    pieces = []
    for index, rows in chunks(num_rows, model.chunk_rows):
        pieces.append(model.sample_chunk(index, rows, seed))
        share = (index * model.chunk_rows + rows) / num_rows
        on_progress(Progress(share * DRAWN, f"drawing {num_rows:,} rows"))
    return pa.concat_tables(pieces)


def _read(output: Output, model: Synthesizer, artifacts: Artifacts) -> pa.Table:
    """The rows of a generation, from its file; of one that is too long such as are spread evenly over it."""
    schema = model.sample_chunk(0, 0, seed=0).schema
    with artifacts.scratch.file() as file:
        with file.open("wb") as sink:
            for block in artifacts.verified(output.artifact):
                sink.write(block)
        every = ceil(output.artifact.num_rows / MAX_ROWS)
        return read_back(file, output.format, schema, model.columns, safe=output.is_csv_safe, every=every)


def _with_numbers(table: pa.Table, model: Synthesizer) -> pa.Table:
    """Numbers that the table keeps as text are compared as what they were learnt as."""
    for codec in model.codec.numbers:
        if codec.wrapped:
            place = table.column_names.index(codec.name)
            table = table.set_column(place, codec.name, codec.plain(table[codec.name]))
    return table


def _with_kinds(columns: Sequence[Column], model: Synthesizer) -> tuple[Column, ...]:
    kinds = {codec.name: codec.column_kind for codec in model.codec.numbers if codec.wrapped}
    return tuple(replace(column, kind=kinds.get(column.name, column.kind)) for column in columns)


def _about(assignment: Assignment, synthesizer: Synthesizer) -> About:
    model, job = assignment.model, assignment.job
    if model is None or model.dataset_name is None or model.dataset_version is None:
        raise LookupError(f"report {job.id} has no model, or one without a table")
    return About(
        model_name=model.name,
        model_type=model.model_type,
        model_id=model.id,
        config=synthesizer.params.model_dump(mode="json"),  # all that was agreed on is in it
        dataset_name=model.dataset_name,
        dataset_version=model.dataset_version,
        losses=assignment.losses,
        seed=assignment.output.seed if assignment.output else job.seed,
        conditions={
            name: condition.model_dump(exclude_none=True) if isinstance(condition, Range) else condition
            for name, condition in _conditions(assignment).items()
        },
        versions=releases(),
        created_at=job.created_at,
    )


def _publish(job: Job, contents: Mapping[ReportFormat, str], artifacts: Artifacts) -> Artifact:
    """All files of the report as one artifact. It is public when the store takes it."""
    parts = []
    for form, content in contents.items():
        with artifacts.writing(job.folder, form.file) as sink:
            sink.write(content.encode())
        parts.append(artifacts.part(job.folder, form.file, num_rows=0))
    return artifacts.seal(job.folder, parts)
