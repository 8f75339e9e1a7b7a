"""Parts that are written side by side are one file, in each format, whoever writes them and however often."""

from io import BytesIO
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.datasets.writing import write_file
from synthgen_ray.domain.entities import Assignment, Job
from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GenerateParams, OutputFormat
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.parts import plan_parts
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from tests.given import a_job, an_artifact

CHUNK_ROWS, ROWS, SEED = 10, 123, 3


@pytest.fixture(scope="module")
def trained() -> GaussianCopula:
    model = GaussianCopula(seed=0).fit(pa.table({"x": [n / 7 for n in range(50)], "c": ["a", "b,"] * 25}))
    model.chunk_rows = CHUNK_ROWS
    return model


@pytest.fixture
def artifacts(tmp_path) -> DiskArtifacts:
    return DiskArtifacts(tmp_path)


def given_job(form: OutputFormat) -> Job:
    params = GenerateParams(num_rows=ROWS, seed=SEED, format=form)
    return a_job(JobType.GENERATE, config=params.model_dump(mode="json"))


def at_once(model: GaussianCopula, form: OutputFormat) -> bytes:
    """All rows in one file."""
    rows, sink = model.sample(ROWS, seed=SEED), BytesIO()
    write_file([rows], model.columns, form, sink)
    return sink.getvalue()


@pytest.mark.parametrize("form", list(OutputFormat))
def test_they_are_the_file_of_all_rows(trained, artifacts, form):
    job = given_job(form)
    generation = Assignment(job, an_artifact(), chunk_rows=CHUNK_ROWS)
    plans = plan_parts(ROWS, CHUNK_ROWS)
    for plan in reversed(plans):
        write_part(trained, generation, plan, artifacts)
    parts = [write_part(trained, generation, plan, artifacts) for plan in plans]  # again: a worker was lost
    half = artifacts.path(job.folder, f".{parts[0].name}.{uuid4().hex}")  # which had begun it
    half.write_bytes(b"x")

    published = [publish(job, parts, artifacts) for _ in range(2)]

    content = b"".join(artifacts.read(published[0]))
    assert published[0].num_rows == ROWS
    assert not half.exists()
    assert (published[0].sha256, len(content)) == (published[1].sha256, published[1].size_bytes)
    if form is OutputFormat.PARQUET:  # whose row groups are those of the parts
        assert pq.read_table(BytesIO(content)) == pq.read_table(BytesIO(at_once(trained, form)))
        assert pq.ParquetFile(BytesIO(content)).metadata.num_row_groups == len(plans) == 3
    else:
        assert content == at_once(trained, form)


def test_one_that_is_no_longer_wanted_when_it_is_drawn_is_not_kept(trained, artifacts):
    generation = Assignment(given_job(OutputFormat.CSV), an_artifact(), chunk_rows=CHUNK_ROWS)

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_part(trained, generation, plan_parts(ROWS, CHUNK_ROWS)[0], artifacts, stop)

    assert list(artifacts.path(generation.job.folder, "").iterdir()) == []
