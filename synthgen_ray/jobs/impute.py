"""An imputation: the rows of a table with their missing cells filled by a model, chunk by chunk as of a generation."""

from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.artifacts.base import SMALL
from synthgen_ray.datasets.reading import read_rows
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Assignment
from synthgen_ray.jobs.parts import PartPlan
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.imputation import conformed


def filled(model: Synthesizer, assignment: Assignment, plan: PartPlan, artifacts: Artifacts) -> pa.Table:
    """The rows of a part, of which the model has filled the missing cells of the columns that it learnt.

    Raises: InvalidTable, when the columns have other types than the model's; Gone.
    """
    if assignment.table is None:
        raise ValueError("there is no table to fill")
    first = plan.chunks[0][0] * model.chunk_rows
    with _opened(assignment.table, artifacts) as file:
        rows = conformed(read_rows(file, first, plan.num_rows), model.codec)
    pieces = [
        model.impute_chunk(index, rows.slice(index * model.chunk_rows - first, num_rows), assignment.job.seed)
        for index, num_rows in plan.chunks
    ]
    return pa.concat_tables(pieces)


def columns_of(model: Synthesizer, assignment: Assignment) -> tuple[Column, ...]:
    """How the cells are written: as in the table, where it knows its columns as what they were in training."""
    learnt = {column.name: column for column in model.columns}
    return tuple(
        learnt[column.name] if column.name in learnt and learnt[column.name].kind != column.kind else column
        for column in assignment.columns
    )


def _opened(table: Artifact, artifacts: Artifacts) -> AbstractContextManager[Path]:
    """A large one is not hashed again for each of its parts."""
    if table.size_bytes <= SMALL:
        return artifacts.verified_file(table)
    artifacts.check(table)
    return artifacts.part_file(table.location, table.parts[0].name)
