"""The work of a report: what it compares, and that it is the same each time."""

import json
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.entities import MODEL_FILE, Artifact, Assignment, MadeReport, Model, Output, Progress
from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.lifecycle import JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams, OutputFormat
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.parts import plan_parts
from synthgen_ray.jobs.report import make_report
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from tests.given import a_job

ROWS = 300


def given_table() -> pa.Table:
    chance = np.random.default_rng(7)
    age = chance.integers(18, 80, ROWS)
    income = np.where(age + chance.normal(0, 10, ROWS) > 50, ">50K", "<=50K")
    balance = chance.normal(1000, 300, ROWS).round(2)
    return pa.table({"age": age, "income": income, "balance": pa.array(balance, mask=chance.random(ROWS) < 0.1)})


@pytest.fixture(scope="module")
def trained() -> GaussianCopula:
    table = given_table()
    return GaussianCopula(seed=1, holdout_fraction=0.2).fit(table, columns=infer_columns(table))


@pytest.fixture
def artifacts(tmp_path: Path) -> DiskArtifacts:
    return DiskArtifacts(tmp_path)


def published(artifacts: DiskArtifacts, location: str, name: str, file: Path) -> Artifact:
    artifacts.adopt(file, location, name)
    return artifacts.seal(location, [artifacts.part(location, name, ROWS)])


@pytest.fixture
def assignment(artifacts, trained, tmp_path):
    """The order of a report on the model."""
    trained.save(tmp_path / "model")
    pq.write_table(given_table(), tmp_path / "table")
    source = published(artifacts, "models/1", MODEL_FILE, tmp_path / "model")
    table = published(artifacts, "datasets/1", "table.parquet", tmp_path / "table")

    def order(output: Output | None = None, **options: object) -> Assignment:
        job = a_job(JobType.REPORT, config=ReportParams(**options).model_dump(mode="json"))
        model = Model(
            id=job.model_id,
            project_id=job.project_id,
            name="copula",
            model_type=job.model_type,
            status=ModelStatus.READY,
            config={},
            resources={},
            dataset_id=uuid4(),
            dataset_name="accounts",
            dataset_version=0,
            dataset_version_id=uuid4(),
            artifact_id=source.id,
            created_at=job.created_at,
        )
        return Assignment(job, source, trained.columns, chunk_rows=1000, table=table, model=model, output=output)

    return order


def silent(_: Progress) -> None: ...


def json_of(made: MadeReport, artifacts: DiskArtifacts) -> dict:
    return json.loads(artifacts.path(made.artifact.location, "report.json").read_text())


def test_it_compares_as_many_rows_as_were_learnt_with_those_that_were_and_those_that_were_not(assignment, artifacts):
    told: list[Progress] = []

    made = make_report(assignment(seed=3), artifacts, told.append)

    scope = json_of(made, artifacts)["scope"]
    assert (scope["real_rows"], scope["holdout_rows"], scope["synthetic_rows"]) == (240, 60, 240)
    assert [part.name for part in made.artifact.parts] == ["report.html", "report.json"]
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], 0.9 < fractions[-1] < 1) == (0.0, True)


def test_the_rows_of_a_generation_are_judged_as_such_that_are_drawn(assignment, artifacts, trained):
    form = OutputFormat.PARQUET
    job = a_job(JobType.GENERATE, config=GenerateParams(num_rows=100, seed=3, format=form).model_dump(mode="json"))
    generation = Assignment(job, assignment().source, chunk_rows=trained.chunk_rows)
    parts = [write_part(trained, generation, plan, artifacts) for plan in plan_parts(100, trained.chunk_rows)]

    of_file = make_report(assignment(Output(publish(job, parts, artifacts), form, seed=3), seed=3), artifacts, silent)
    of_drawn = make_report(assignment(num_rows=100, seed=3), artifacts, silent)

    assert of_file.artifact.sha256 == of_drawn.artifact.sha256
    assert of_file.scores == of_drawn.scores


def test_what_hears_of_its_progress_can_stop_it_and_nothing_is_left_then(assignment, artifacts, tmp_path):
    def stop(progress: Progress) -> None:
        if progress.fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_report(assignment(num_rows=100), artifacts, stop)

    assert not (tmp_path / "jobs").exists()
