"""Whoever draws rows, and into whatever they are cut, they are those of the seed."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.datasets.writing import write_csv
from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.entities import Assignment, Draw
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GenerateParams, OutputFormat, SampleFormat, SampleParams
from synthgen_ray.jobs.batch import Order, Place, make_file
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.online import encoded_chunk
from synthgen_ray.jobs.parts import plan_parts
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from tests.given import a_job, an_artifact

CHUNK_ROWS, ROWS, SEED = 10, 123, 3
WISHES = {
    "none": {},
    "shares": {"distribution": {"city": {"Rome": 0.95, "Lima": 0.05}}},
    "shares and conditions": {
        "distribution": {"city": {"Kiel": 0.3, "Lima": 0.7}},
        "conditions": {"size": {"min": 0.2}, "sum": None},
    },
    "any of, and a range": {"conditions": {"city": ["Rome", "Kiel"], "sum": [None, 7], "size": {"min": 0, "max": 0.5}}},
}


@pytest.fixture(scope="module")
def model() -> GaussianCopula:
    rng = np.random.default_rng(5)
    cities, sums = rng.choice(["Rome", "Lima", "Kiel"], 300), rng.poisson(6, 300)
    table = pa.table({"city": cities, "sum": pa.array(sums, mask=rng.random(300) < 0.2), "size": rng.normal(size=300)})
    fitted = GaussianCopula(seed=0).fit(table)
    fitted.chunk_rows = CHUNK_ROWS
    return fitted


@pytest.mark.parametrize("wishes", WISHES.values(), ids=WISHES)
def test_at_once_and_by_jobs_and_by_batches(model, tmp_path, wishes):
    asked: Mapping[str, Any] = {"num_rows": ROWS, "seed": SEED, **wishes}
    sink = BytesIO()
    write_csv(model.sample(ROWS, SEED, wishes.get("conditions"), wishes.get("distribution")), model.columns, sink)

    params = SampleParams(**asked)
    draw = Draw(uuid4(), an_artifact(), tuple(chunks(ROWS, CHUNK_ROWS)), SEED, params, SampleFormat.CSV)
    at_once = b"".join(encoded_chunk(model, draw, index) for index in range(len(draw.chunks)))

    artifacts = DiskArtifacts(tmp_path)
    job = a_job(JobType.GENERATE, config=GenerateParams(**asked).model_dump(mode="json"))
    assignment = Assignment(job, an_artifact(), chunk_rows=CHUNK_ROWS)
    parts = [write_part(model, assignment, plan, artifacts) for plan in plan_parts(ROWS, CHUNK_ROWS)]
    by_job = b"".join(artifacts.read(publish(job, parts, artifacts)))

    order = Order(model_sha256="", chunk_rows=CHUNK_ROWS, rows_per_file=40, format=OutputFormat.CSV, **asked)
    place = Place(artifacts, "batch")
    files = [place.read(make_file(model, order, name, place).name) for name in order.files]
    header = files[0].splitlines(keepends=True)[0]
    by_batch = header + b"".join(file.removeprefix(header) for file in files)

    assert sink.getvalue().count(b"\n") == ROWS + 1
    assert len(files) == 4
    assert at_once == by_job == by_batch == sink.getvalue()
