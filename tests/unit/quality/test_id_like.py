"""Numbers that look like ids and come out as they are: found whatever their column is called, and no measure is."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Assessment, Level
from synthgen_ray.quality.id_like import looks_like_ids
from synthgen_ray.quality.page import render
from tests.unit.quality.page.assessments import an_about
from tests.unit.quality.page.reading import Page

ROWS = 6000
CHANCE = np.random.default_rng(0)
ACCOUNTS = 10**8 + CHANCE.choice(9 * 10**8, 600, replace=False)
NULLS = np.arange(ROWS) % 9 == 0


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(CHANCE.choice(ACCOUNTS, ROWS), id="on some rows each"),
        pytest.param(ACCOUNTS[(CHANCE.pareto(1.5, ROWS) * 40).astype(int) % 600], id="on few to many rows each"),
        pytest.param(CHANCE.choice(CHANCE.choice(10**9, 600), ROWS), id="of several lengths"),
        pytest.param(CHANCE.choice(7 * 10**9 + CHANCE.choice(10**6, 600) ** 2 % 10**8, ROWS), id="with a prefix"),
        pytest.param(CHANCE.choice(ACCOUNTS, ROWS).astype(float), id="as a column with nulls has them"),
    ],
)
def test_numbers_of_accounts_look_like_ids(values):
    assert looks_like_ids(pa.chunked_array([pa.array(values, mask=NULLS)]))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.exp(CHANCE.normal(12, 0.5, ROWS)).astype(int), id="weights of a census"),
        pytest.param(CHANCE.choice(np.exp(CHANCE.normal(7, 1.5, 400)).astype(int), ROWS), id="prices of a catalogue"),
        pytest.param(CHANCE.choice(100 * CHANCE.integers(300, 1500, 400), ROWS), id="salaries in hundreds"),
        pytest.param(np.where(NULLS, CHANCE.choice(ACCOUNTS, ROWS) % 10**5, 0), id="gains, mostly none"),
        pytest.param(CHANCE.integers(17, 90, ROWS), id="ages"),
        pytest.param(CHANCE.integers(0, 2000, ROWS), id="numbers of stores"),
        pytest.param(CHANCE.choice(ACCOUNTS[:50], ROWS), id="a short list"),
        pytest.param(CHANCE.choice(ACCOUNTS, ROWS) + 0.5, id="fractions"),
        pytest.param(np.zeros(ROWS, dtype=int), id="nothing"),
    ],
)
def test_measures_do_not(values):
    assert not looks_like_ids(pa.chunked_array([pa.array(values)]))


@pytest.mark.parametrize(
    "values", [pa.nulls(9, pa.int64()), pa.array(["7"]), pa.array([True]), pa.array([], pa.int64())]
)
def test_other_columns_do_not(values):
    assert not looks_like_ids(pa.chunked_array([values]))


class TestReport:
    @pytest.fixture
    def report(self) -> Callable[..., Assessment]:
        """On a table with accounts, whose synthetic rows have these."""

        def made(synthetic: np.ndarray, kind: ColumnKind = ColumnKind.INTEGER) -> Assessment:
            columns = [Column("who", kind), Column("sum", ColumnKind.FLOAT)]
            sums = np.random.default_rng(1).normal(size=(3, ROWS))
            drawn = [np.random.default_rng(seed).choice(ACCOUNTS, ROWS) for seed in (2, 3)]
            tables = [pa.table({"who": who, "sum": some}) for who, some in zip([*drawn, synthetic], sums, strict=True)]
            return assess(tables[0], tables[2], tables[1].slice(0, 600), columns)

        return made

    def test_accounts_that_come_out_as_they_are_are_told(self, report):
        found = report(np.random.default_rng(4).choice(ACCOUNTS, ROWS))

        (told,) = (finding for finding in found.verdict if "'who' look like numbers of accounts" in finding.sentence)
        assert (told.level, told.area) == (Level.WARN, "privacy")
        assert "100% of the synthetic ones are in the training table" in told.sentence
        assert "Numbers that look like ids" in Page(render(found, an_about())).text
        assert Assessment.model_validate_json(found.model_dump_json()) == found

    def test_others_are_not(self, report):
        made_up = np.random.default_rng(4).choice(10**9, ROWS)

        for found in (report(made_up), report(made_up, ColumnKind.ID)):
            assert not any("look like numbers of accounts" in finding.sentence for finding in found.verdict)
