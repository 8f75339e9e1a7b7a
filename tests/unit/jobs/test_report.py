"""The work of a report: what it compares, and that it is the same each time."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.entities import MODEL_FILE, Artifact, Assignment, MadeReport, Model, Output, Progress
from synthgen_ray.domain.errors import Cancelled, JobError
from synthgen_ray.domain.lifecycle import JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams, OutputFormat
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.jobs import report
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.parts import plan_parts
from synthgen_ray.jobs.report import make_report, without_some
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from tests.given import a_job
from tests.unit.quality.page.reading import Page

ROWS = 300


def given_table(seed: int = 7) -> pa.Table:
    chance = np.random.default_rng(seed)
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


def published(artifacts: DiskArtifacts, location: str, name: str, file: Path, rows: int = ROWS) -> Artifact:
    artifacts.adopt(file, location, name)
    return artifacts.seal(location, [artifacts.part(location, name, rows)])


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


def test_of_a_generation_that_is_too_long_it_judges_rows_all_over_it(assignment, artifacts, generation, monkeypatch):
    monkeypatch.setattr(report, "MAX_ROWS", 100)
    real = given_table()
    which = pa.array(np.arange(ROWS) % 3 == 0)

    made = make_report(assignment(generation(real)), artifacts, silent)
    found, page = json_of(made, artifacts), Page(artifacts.path(made.artifact.location, "report.html").read_text())
    of_these = json_of(make_report(assignment(generation(real.filter(which))), artifacts, silent), artifacts)

    assert "100 of 300 synthetic rows, spread evenly over them, beside 240 real ones" in page.text
    assert (found["scope"]["generated_rows"], of_these["scope"]["generated_rows"]) == (300, 100)
    assert found["fidelity"] == of_these["fidelity"]


@pytest.fixture
def generation(artifacts, tmp_path):
    """The rows of one, that are real ones: no model makes better."""

    def given(rows: pa.Table, conditions: dict | None = None) -> Output:
        pq.write_table(rows, tmp_path / "rows")
        file = published(artifacts, "generations/1", "part-00000", tmp_path / "rows", rows.num_rows)
        asked = GenerateParams(conditions=conditions or {}).conditions
        return Output(file, OutputFormat.PARQUET, seed=3, conditions=asked)

    return given


class TestUnderConditions:
    def test_rows_are_compared_with_the_real_ones_that_fit(self, assignment, artifacts, generation):
        rich = given_table(seed=8).filter(pc.field("income") == ">50K")

        beside_all = make_report(assignment(generation(rich)), artifacts, silent)
        fitting = make_report(assignment(generation(rich, {"income": ">50K"})), artifacts, silent)

        scope = json_of(fitting, artifacts)["scope"]
        real_and_rich = given_table().filter(pc.field("income") == ">50K")
        assert 10 <= real_and_rich.num_rows - scope["real_rows"] - scope["holdout_rows"] < 20  # 5 to 9 of each
        assert scope["synthetic_rows"] == rich.num_rows
        # Some 25 rows held out tell little.
        assert (fitting.scores.verdict, beside_all.scores.verdict) == ("warn", "bad")
        assert fitting.scores.column_shapes > 0.85 > beside_all.scores.column_shapes

    def test_the_page_names_them_and_how_many_rows_fit(self, assignment, artifacts, generation):
        conditions = {"income": [">50K"], "age": {"min": 30, "max": 79}}
        rows = given_table(seed=8).filter((pc.field("income") == ">50K") & (pc.field("age") >= 30))

        made = make_report(assignment(generation(rows, conditions)), artifacts, silent)

        page = Page(artifacts.path(made.artifact.location, "report.html").read_text())
        fit = json_of(made, artifacts)["scope"]["real_rows"]
        assert f"compared with {fit} of the real rows that fit the same conditions" in page.text
        assert f"Rows {rows.num_rows}" in page.text
        assert 'Condition on age {"min": 30, "max": 79}' in page.text
        assert 'Condition on income [">50K"]' in page.text

    def test_a_target_of_which_they_leave_one_value_is_not_learnt(self, assignment, artifacts, trained, generation):
        conditions = {"income": ">50K"}
        rows = trained.sample(100, seed=2, conditions=conditions)

        made = make_report(assignment(generation(rows, conditions), target="income"), artifacts, silent)

        assert made.scores.utility is None

    @pytest.mark.parametrize(
        ("conditions", "which"),
        [
            ({"age": 33}, "that the model learnt"),
            ({"age": {"max": 26}}, "that training never saw"),
            ({"income": ">50K", "age": {"max": 19}}, "that the model learnt"),
        ],
        ids=str,
    )
    def test_that_too_few_real_rows_fit_it_says_so_and_nothing_of_these(
        self, assignment, artifacts, trained, generation, tmp_path, conditions, which
    ):
        rows = trained.sample(100, seed=2, conditions=conditions)

        with pytest.raises(JobError) as caught:
            make_report(assignment(generation(rows, conditions)), artifacts, silent)

        assert caught.value.code == "too_few_fitting_rows"
        assert f"Of the real rows {which}, fewer than 20 fit the conditions" in caught.value.detail
        assert not (tmp_path / "jobs").exists()

    def test_two_of_them_tell_by_their_difference_of_no_row(self, assignment, artifacts, generation):
        """Of a row that fits the one's conditions and not the other's."""
        rows = given_table(seed=8)
        most = sorted(filter(None, given_table()["balance"].to_pylist()))[-2]

        def told(highest: float) -> dict:
            made = make_report(assignment(generation(rows, {"balance": {"max": highest}})), artifacts, silent)
            return json_of(made, artifacts)

        one, other, again = told(most), told(10 * most), told(20 * most)

        assert other == again  # all rows fit both
        income = [
            {part["label"]: part["real"] * found["scope"]["real_rows"] for part in column["distribution"]}
            for found in (one, other)
            for column in found["columns"]
            if column["name"] == "income"
        ]
        moved = [abs(income[1][label] - count) for label, count in income[0].items()]
        assert min(moved) >= 1  # by the rows that were left out, of either kind

    def test_what_is_left_out_depends_on_the_rows_alone(self):
        table = given_table()
        fewer = table.filter(pc.less(table["age"], 79))

        left = {without_some(rows, 5).num_rows for rows in (table, table.combine_chunks(), pa.concat_tables([table]))}

        assert len(left) == 1
        assert ROWS - 10 < left.pop() <= ROWS - 5
        assert fewer.num_rows - 10 < without_some(fewer, 5).num_rows <= fewer.num_rows - 5

    def test_too_few_are_less_than_the_rows_that_a_model_may_tell_of(self, artifacts, assignment, generation, tmp_path):
        table = given_table()
        careful = GaussianCopula(seed=1, min_category_count=150).fit(table, columns=infer_columns(table))
        careful.save(tmp_path / "careful")
        ordered = assignment(generation(table.filter(pc.field("income") == ">50K"), {"income": ">50K"}))
        source = published(artifacts, "models/2", MODEL_FILE, tmp_path / "careful")

        with pytest.raises(JobError, match="fewer than 450 fit"):
            make_report(replace(ordered, source=source), artifacts, silent)


def test_numbers_that_are_kept_as_text_are_compared_as_numbers(assignment, artifacts, tmp_path):
    table = given_table()
    table = table.set_column(2, "balance", table["balance"].cast(pa.string()))
    columns = (*infer_columns(table)[:2], Column("balance", ColumnKind.TEXT))
    GaussianCopula(seed=1).fit(table, columns=columns).save(tmp_path / "model")
    pq.write_table(table, tmp_path / "table")
    source = published(artifacts, "models/2", MODEL_FILE, tmp_path / "model")
    kept = published(artifacts, "datasets/2", "table.parquet", tmp_path / "table")

    told = json_of(
        make_report(replace(assignment(), source=source, table=kept, columns=columns), artifacts, silent), artifacts
    )

    assert told["scope"]["left_out"] == []
    (balance,) = [column for column in told["columns"] if column["name"] == "balance"]
    assert (balance["kind"], balance["shape_by"]) == ("float", "ks_complement")
    assert told["privacy"]["copied_values"] == []


def test_what_hears_of_its_progress_can_stop_it_and_nothing_is_left_then(assignment, artifacts, tmp_path):
    def stop(progress: Progress) -> None:
        if progress.fraction > 0.2:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_report(assignment(num_rows=100), artifacts, stop)

    assert not (tmp_path / "jobs").exists()
