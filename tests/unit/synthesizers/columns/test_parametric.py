import json
import zipfile
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from scipy.special import ndtr, ndtri

from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import Family, ModelType
from synthgen_ray.synthesizers import GaussianCopula, load
from synthgen_ray.synthesizers.columns.parametric import FITTED, SHAPES, Parametric
from tests.unit.synthesizers.conftest import given_model, given_table

RNG = np.random.default_rng(3)
TRUTH = {
    "beta": stats.beta(2, 5, loc=-10, scale=40),
    "gamma": stats.gamma(2, loc=100, scale=3),
    "norm": stats.norm(1e6, 5),
    "truncnorm": stats.truncnorm(-0.5, 2, loc=3, scale=0.01),
    "uniform": stats.uniform(-3, 8),
}
INSIDE = ndtri([0.02, 0.1, 0.5, 0.9, 0.98])


def drawn(family: str, rows: int = 4000) -> np.ndarray:
    return np.sort(TRUTH[family].rvs(rows, random_state=1))


def test_every_family_is_known_everywhere():
    assert set(get_args(Family)) == SHAPES.keys() == FITTED.keys() == TRUTH.keys()


class TestParametric:
    @pytest.mark.parametrize("family", TRUTH)
    def test_has_the_quantiles_of_what_it_was_fitted_to(self, family):
        marginal = Parametric.learn("x", family, drawn(family), 0.0)

        truth = TRUTH[family]
        assert marginal.back(INSIDE) == pytest.approx(truth.ppf(ndtr(INSIDE)), abs=0.06 * truth.std())

    @pytest.mark.parametrize("family", TRUTH)
    def test_is_the_distribution_that_its_parameters_say(self, family):
        marginal = Parametric.learn("x", family, drawn(family), 0.0)

        said = getattr(stats, family)(**marginal.parameters)
        assert marginal.back(INSIDE) == pytest.approx(said.ppf(ndtr(INSIDE)), rel=1e-5, abs=1e-4 * said.std())
        assert marginal.span(said.ppf(ndtr(INSIDE)))[0] == pytest.approx(INSIDE, abs=1e-3)

    @pytest.mark.parametrize("family", TRUTH)
    def test_makes_a_rounded_column_normal_and_comes_back(self, family):
        step = TRUTH[family].std() / 10
        numbers = np.round(drawn(family) / step) * step
        marginal = Parametric.learn("x", family, numbers, step)

        z = marginal.forward(numbers, RNG)

        assert np.quantile(z, [0.1, 0.5, 0.9]) == pytest.approx(ndtri([0.1, 0.5, 0.9]), abs=0.2)
        inside = np.abs(z) < 2  # a family has its own ends
        assert np.abs(marginal.back(z) - numbers)[inside].max() < 0.51 * step

    def test_of_one_value_gives_it_back(self):
        marginal = Parametric.learn("x", "gamma", np.full(30, 7.0), 1.0)

        assert marginal.back(marginal.forward(np.full(5, 7.0), RNG)).tolist() == [7.0] * 5

    def test_says_which_column_no_family_fits(self):
        numbers = np.sort(np.random.default_rng(11).normal(size=20))

        with pytest.raises(InvalidTable, match="'x'") as caught:
            Parametric.learn("x", "beta", numbers, 0.0)

        assert caught.value.code == "marginal_not_fitted"

    @pytest.mark.parametrize(
        "parameters",
        [{}, {"loc": 0.0, "scale": 1.0, "a": 2.0}, {"loc": 0.0, "scale": -1.0}, {"loc": np.nan, "scale": 1.0}],
        ids=["none", "another family's", "a scale below 0", "NaN"],
    )
    def test_other_parameters_are_refused(self, parameters):
        with pytest.raises(ValidationError):
            Parametric(family="norm", parameters=parameters, grain=0.0)

    def test_parameters_that_give_no_numbers_are_refused(self):
        with pytest.raises(ValidationError):
            Parametric(family="gamma", parameters={"loc": 0.0, "scale": 1.0, "a": -2.0}, grain=0.0)


@pytest.fixture(scope="module", params=TRUTH)
def copula(request):
    table, columns = given_table()
    some = ["city", "age", "amount", "weight"]
    columns = [column for column in columns if column.name in some]
    return given_model(ModelType.GAUSSIAN_COPULA, table.select(some), columns, marginals=request.param)


class TestGaussianCopula:
    def test_keeps_a_few_numbers_of_each_column_and_comes_back_from_its_file(self, copula, tmp_path):
        copula.save(tmp_path / "model")

        with zipfile.ZipFile(tmp_path / "model") as archive:
            codecs = json.loads(archive.read("model.json"))["codec"]["columns"]
        marginals = [codec["marginal"] for codec in codecs if codec["kind"] == "number"]
        assert marginals
        assert all(len(marginal["parameters"]) == 2 + len(SHAPES[marginal["family"]]) for marginal in marginals)
        assert load(tmp_path / "model").sample(300, seed=2).equals(copula.sample(300, seed=2))

    def test_has_the_types_and_obeys_conditions(self, copula):
        conditions = {"age": {"min": 30, "max": 33}, "amount": [0, None], "city": "Lima"}

        rows = copula.sample(300, seed=3, conditions=conditions)

        assert rows.schema.equals(copula.sample(1, seed=1).schema)
        assert set(rows["age"].to_pylist()) == {30, 31, 32, 33}
        assert {None} <= set(rows["amount"].to_pylist()) <= {0.0, None}  # some families have hardly any 0
        assert set(rows["city"].to_pylist()) == {"Lima"}
        assert len(set(rows["weight"].to_pylist())) > 200
        assert set(copula.sample(10, seed=3, conditions={"amount": 0})["amount"].to_pylist()) == {0.0}

    def test_keeps_correlations(self):
        x = RNG.normal(size=3000)
        table = pa.table({"x": x, "y": np.round(3 * x + RNG.normal(size=3000)).astype(int)})

        rows = GaussianCopula(marginals="norm", seed=1).fit(table).sample(3000, seed=1)

        assert np.corrcoef(rows["x"], rows["y"])[0, 1] == pytest.approx(np.corrcoef(x, table["y"])[0, 1], abs=0.03)
