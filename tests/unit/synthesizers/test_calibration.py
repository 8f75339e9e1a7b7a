import json
import zipfile

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy.special import softmax
from scipy.stats import ks_2samp

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.quantile_map import QuantileMap
from synthgen_ray.synthesizers.sampling.categorical import offsets
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(8)


def test_offsets_give_the_shares_asked_for():
    logits = RNG.normal(size=(2000, 4)) * 3 + [0.0, 2.0, -1.0, 0.0]
    shares = np.array([0.7, 0.05, 0.2, 0.05])

    added = offsets(logits.T, shares)

    assert softmax(logits + added, axis=1).mean(axis=0) == pytest.approx(shares, abs=1e-3)


def test_offsets_of_a_code_that_is_never_drawn_stay_finite():
    assert np.abs(offsets(np.tile([[0.0], [-500.0]], 100), np.array([0.5, 0.5]))).max() <= 8


def test_a_quantile_map_gives_the_other_distribution_and_its_inverse_ranges():
    source, target = RNG.normal(size=5000), RNG.gamma(2.0, size=5000)
    mapped = QuantileMap(source=Marginal.learn(source, 5), target=Marginal.learn(target, 5))

    there = mapped.forward(source, RNG)

    assert ks_2samp(there, target).statistic < 0.01
    ((low, high),) = mapped.parts(np.array([[1.0, 2.0]])).bounds
    between = (source > low) & (source < high)
    assert there[between].min() > 0.999
    assert there[between].max() < 2.001


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.COPULAGAN, ModelType.TVAE])
class TestCalibratedRows:
    """After four epochs a network knows next to nothing, its marginals all the same; refining sets shares by itself."""

    def test_have_the_distributions_of_the_columns(self, model_type, table):
        rows = given_model(model_type, refine=False).sample(10_000, seed=1)

        for name in ("age", "amount", "weight"):
            real, made = (part[name].drop_null().to_numpy() for part in (table, rows))
            assert ks_2samp(real, made, method="asymp").statistic < 0.05, name
        for name, value in (("city", "Lima"), ("grade", 2), ("plan", "a"), ("member", True)):
            real, made = (
                pc.mean(
                    pc.equal(part[name].cast("string"), str(value).lower() if value is True else str(value))
                ).as_py()
                for part in (table, rows)
            )
            assert made == pytest.approx(real, abs=0.02), name
        for name in ("member", "amount", "far"):
            assert rows[name].null_count / 10_000 == pytest.approx(table[name].null_count / len(table), abs=0.02), name

    def test_are_an_option(self, model_type, tmp_path):
        given_model(model_type, calibrate=False).save(tmp_path / "raw")

        with zipfile.ZipFile(tmp_path / "raw") as archive:
            card = json.loads(archive.read("model.json"))
        assert all(not column.get("offsets") and not column.get("calibration") for column in card["codec"]["columns"])


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.COPULAGAN])
def test_sampling_as_ctgan_does_it_keeps_every_promise_but_calibration(model_type):
    model = given_model(model_type, sampling="ctgan")

    rows = model.sample(300, seed=1, conditions={"city": "Lima"})

    assert set(rows["city"].to_pylist()) == {"Lima"}
    assert model.sample(1, seed=1).num_rows == 1
    assert model.sample_chunk(2, 70, 5).equals(model.sample_chunk(2, 70, 5))
    assert not any(column.offsets for column in model.codec.learnt)


def test_sampling_as_ctgan_does_it_shows_rare_categories_too_often():
    stock, true = (given_model(ModelType.CTGAN, sampling=how) for how in ("ctgan", "true_frequency"))

    asked = [np.bincount(model._condition_places(20_000, {}, np.random.default_rng(1))) for model in (stock, true)]

    lima = list(stock.codec.learnt[0].values).index("Lima")
    assert asked[0][lima] > 2 * asked[1][lima]
