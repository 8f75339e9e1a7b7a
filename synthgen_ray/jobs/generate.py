"""A generation: a model in, rows out; or a model and a table, and that table's rows without gaps. Cut into parts that
workers write side by side.

Chunk i of a job depends on the model, the seed and i alone, so the same job gives the same
bytes on one worker and on forty, whatever runs beside it.
"""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import BinaryIO

import pyarrow as pa

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.parquet_joining import joined_footer, split
from synthgen_ray.datasets.writing import write_csv, write_jsonl, write_parquet
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Assignment, Job, Part
from synthgen_ray.domain.params import GenerateParams, OutputFormat
from synthgen_ray.jobs.drawing import drawing
from synthgen_ray.jobs.impute import columns_of, filled
from synthgen_ray.jobs.parts import PartPlan
from synthgen_ray.synthesizers.base import Synthesizer


def write_part(
    model: Synthesizer,
    assignment: Assignment,
    plan: PartPlan,
    artifacts: Artifacts,
    on_drawn: Callable[[], None] = lambda: None,
) -> Part:
    """Make the rows of one part and write them. Repeating it gives the same file. `on_drawn` hears that from there on
    it only waits for the file to be kept; where it raises, none is.

    Raises: InvalidRequest and JobError, for conditions that cannot be met; JobError, for rows that are too large;
    InvalidTable, for a table that is none to fill; Gone.
    """
    job = assignment.job
    params = None if assignment.table else GenerateParams.model_validate(job.config)
    with drawing(model, params):
        if assignment.table:
            rows = filled(model, job, assignment.table, assignment.columns, plan, artifacts)
            columns = columns_of(model, assignment.columns)
        else:
            rows, columns = _drawn(model, job, plan), model.columns
        name = f"part-{plan.index:05}.{job.output_format}"
        with artifacts.writing(job.folder, name) as sink:
            footer = _write(rows, columns, job, sink, first=plan.index == 0)
            on_drawn()
    if footer is not None:
        with artifacts.writing(job.parts_folder, name) as sink:
            sink.write(footer)
    return artifacts.part(job.folder, name, plan.num_rows)


def publish(job: Job, parts: Sequence[Part], artifacts: Artifacts) -> Artifact:
    """The parts end to end as one artifact. It is public when the store takes it.

    Those of Parquet get a footer behind them, of which each has left its own share. What was begun of a part, and left
    by who was killed, goes.
    """
    artifacts.clear_unfinished(job.folder, {part.name for part in parts})
    if job.output_format is OutputFormat.PARQUET:
        name = "footer.parquet"
        with artifacts.writing(job.folder, name) as sink:
            sink.write(joined_footer((_footer_of(part, job, artifacts), part.size_bytes) for part in parts))
        parts = [*parts, artifacts.part(job.folder, name, 0)]
    return artifacts.seal(job.folder, parts)


def _footer_of(part: Part, job: Job, artifacts: Artifacts) -> bytes:
    with artifacts.part_file(job.parts_folder, part.name) as path:
        return path.read_bytes()


def _drawn(model: Synthesizer, job: Job, plan: PartPlan) -> pa.Table:
    params = GenerateParams.model_validate(job.config)
    return pa.concat_tables(
        model.sample_chunk(index, num_rows, job.seed, params.conditions, params.distribution)
        for index, num_rows in plan.chunks
    )


def _write(rows: pa.Table, columns: Sequence[Column], job: Job, sink: BinaryIO, *, first: bool) -> bytes | None:
    """Returns the footer of these rows, which Parquet has at the end of all."""
    if job.output_format is OutputFormat.CSV:
        write_csv(rows, columns, sink, header=first, safe=job.is_csv_safe)
    elif job.output_format is OutputFormat.JSONL:
        write_jsonl(rows, columns, sink)
    else:
        file = BytesIO()
        write_parquet(rows, file)
        groups, footer = split(file.getvalue(), is_first=first)
        sink.write(groups)
        return footer
    return None
