"""An imputation: the rows of a table with their missing cells filled by a model, chunk by chunk as of a generation."""

from collections.abc import Sequence

import pyarrow as pa

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.reading import read_rows
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Job
from synthgen_ray.jobs.parts import PartPlan
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.refining.imputation import conformed


def filled(
    model: Synthesizer,
    job: Job,
    table: Artifact,
    columns: Sequence[Column],
    plan: PartPlan,
    artifacts: Artifacts,
) -> pa.Table:
    """The rows of a part, of which the model has filled the missing cells of the columns that it learnt; `columns` are
    those of the table.

    Raises: InvalidTable, when the columns have other types than the model's; Gone.
    """
    first = plan.first_chunk * model.chunk_rows
    with artifacts.verified_file(table) as file:
        rows = conformed(read_rows(file, first, plan.num_rows), model.codec, columns)
    pieces = [
        model.impute_chunk(index, rows.slice(index * model.chunk_rows - first, num_rows), job.seed)
        for index, num_rows in plan.chunks
    ]
    return pa.concat_tables(pieces)


def columns_of(model: Synthesizer, columns: Sequence[Column]) -> tuple[Column, ...]:
    """How the cells are written: as in the table, where it knows its columns as what they were in training."""
    learnt = {column.name: column for column in model.columns}
    return tuple(
        learnt[column.name] if column.name in learnt and learnt[column.name].kind != column.kind else column
        for column in columns
    )
