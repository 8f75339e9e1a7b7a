"""Steps hide the normals behind them; their correlations come back, and categories find their place on the line."""

import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy.stats import truncnorm
from threadpoolctl import threadpool_limits

from synthgen_ray.synthesizers import GaussianCopula
from synthgen_ray.synthesizers.columns.category import CategoryCodec
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.normal import mean_between
from synthgen_ray.synthesizers.sampling.latent_correlation import Seen, in_line, latent_correlation

ROWS = 40_000
CITIES = ("Rome", "Oslo", "Lima", "Cairo", "Quito")


def given_normals(correlation: float) -> np.ndarray:
    return np.random.default_rng(3).multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], ROWS).T


def learnt_correlation(**columns: np.ndarray) -> float:
    model = GaussianCopula(seed=1).fit(pa.table(columns))
    return float(abs(model._tensors()["correlation"][0, 1]))


@pytest.mark.parametrize("correlation", [0.2, -0.6, 0.9])
class TestCorrelations:
    def test_of_two_numbers(self, correlation):
        x, y = given_normals(correlation)

        assert learnt_correlation(x=np.exp(x), y=y) == pytest.approx(abs(correlation), abs=0.02)

    @pytest.mark.parametrize("share", [0.5, 0.9])
    def test_of_a_number_and_a_yes_or_no(self, correlation, share):
        x, y = given_normals(correlation)

        learnt = learnt_correlation(x=x, y=np.where(y > np.quantile(y, share), "yes", "no"))

        assert learnt == pytest.approx(abs(correlation), abs=0.03)

    def test_of_a_number_and_one_that_is_mostly_zero(self, correlation):
        x, y = given_normals(correlation)

        learnt = learnt_correlation(x=x, y=np.where(y > 1, y, 0.0))

        assert learnt == pytest.approx(abs(correlation), abs=0.03)

    def test_of_two_columns_of_steps_to_first_order(self, correlation):
        x, y = given_normals(correlation)

        learnt = learnt_correlation(x=np.where(x > 0.2, "a", "b"), y=np.where(y > -0.3, "c", "d"))

        assert learnt >= abs(correlation) - 0.02  # what is too much is so of near copies only: arcsin r for r
        assert learnt <= np.arcsin(abs(correlation)) + 0.02


def test_categories_stand_in_the_order_of_what_their_rows_are_like():
    rng = np.random.default_rng(5)
    place = rng.choice(5, ROWS, p=[0.1, 0.3, 0.15, 0.25, 0.2])
    x = place + rng.normal(0, 0.5, ROWS)
    table = pa.table({"city": np.array(CITIES)[place], "x": x, "y": -x + rng.normal(0, 0.5, ROWS)})

    model = GaussianCopula(seed=1).fit(table)

    city = next(codec for codec in model.codec.learnt if isinstance(codec, CategoryCodec))
    assert city.values in (CITIES, CITIES[::-1])
    rows = model.sample(ROWS, seed=2).to_pandas()
    assert rows.groupby("city")["x"].mean()[list(CITIES)].tolist() == pytest.approx(range(5), abs=0.25)
    shares = rows["city"].value_counts(normalize=True)
    assert shares[list(CITIES)].tolist() == pytest.approx([0.1, 0.3, 0.15, 0.25, 0.2], abs=0.01)


@pytest.mark.parametrize("lacks", [lambda x, chance: chance < 0.3, lambda x, chance: x + 4 * chance < 0.6])
def test_which_categories_are_missing_hangs_on_the_other_columns_as_it_does_in_the_table(lacks):
    rng = np.random.default_rng(5)
    x = rng.normal(size=ROWS)
    kinds = np.array(["a", "b", "c"])[np.digitize(x + rng.normal(0, 0.3, ROWS), [-0.5, 0.5])]
    kind = pa.array(kinds, mask=lacks(x, rng.random(ROWS)))
    table = pa.table({"x": x, "kind": kind})

    rows = GaussianCopula(seed=1).fit(table).sample(ROWS, seed=2)

    real, made = (
        part["kind"]
        .fill_null("none")
        .to_pandas()
        .groupby(np.digitize(part["x"], [-1, 0, 1]))
        .value_counts(normalize=True)
        for part in (table, rows)
    )
    assert made.reindex(real.index, fill_value=0).tolist() == pytest.approx(real.tolist(), abs=0.1)


@pytest.mark.parametrize("mean", [-3, 2.5, 6])
def test_the_tail_is_where_on_the_line_its_rows_are(mean):
    rng = np.random.default_rng(5)
    shop = rng.choice(30, 6000, p=np.repeat([0.12, 0.016], [5, 25]))
    x = np.where(shop < 5, shop, mean) + rng.normal(0, 0.5, 6000)
    table = pa.table({"shop": [f"shop {n}" for n in shop], "x": x})

    rows = GaussianCopula(seed=1, max_categories=5).fit(table).sample(6000, seed=2).to_pandas()

    means = rows.groupby("shop")["x"].mean()
    assert means[[f"shop {n}" for n in (1, 2, 3)]].tolist() == pytest.approx([1, 2, 3], abs=0.4)
    assert means[[f"shop {n}" for n in range(5, 30)]].mean() == pytest.approx(mean, abs=0.8)


def test_the_tail_is_asked_for_as_it_is_drawn():
    rng = np.random.default_rng(5)
    shop = rng.choice(30, 6000, p=np.repeat([0.12, 0.016], [5, 25]))
    table = pa.table({"shop": [f"shop {n}" for n in shop], "x": np.where(shop < 5, shop, 2) + rng.normal(0, 0.5, 6000)})
    model = GaussianCopula(seed=1, max_categories=5).fit(table)

    for asked in ("shop 4", ["shop 0", "shop 20"]):
        rows = model.sample(2000, seed=2, conditions={"shop": asked}).to_pandas()

        assert rows.groupby("shop")["x"].mean().tolist() == pytest.approx([4] if asked == "shop 4" else [0, 2], abs=0.5)
    with pytest.raises(ValidationError, match="no such place"):
        type(model.codec.columns[0])(**model.codec.columns[0].model_dump() | {"tail_at": 6})


def test_a_category_that_is_null_or_of_the_tail_keeps_its_place():
    rng = np.random.default_rng(5)
    names = np.array([f"shop {n}" for n in range(40)])[rng.integers(0, 40, 4000)]
    shop = pa.array(names, mask=rng.random(4000) < 0.2)
    table = pa.table({"shop": shop, "x": rng.normal(size=4000)})

    rows = GaussianCopula(seed=1, max_categories=10).fit(table).sample(4000, seed=2)

    assert rows["shop"].null_count == pytest.approx(shop.null_count, abs=120)
    assert set(rows["shop"].drop_null().to_pylist()) == set(names)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (2.0, 8.2), (-8.2, -3.0), (7.0, 8.2), (0.7, 0.7)])
def test_means_of_parts_of_a_normal(low, high):
    expected = truncnorm.mean(low, high) if high > low else low

    assert mean_between(np.array([low]), np.array([high])) == pytest.approx(expected, rel=1e-6)


def test_numbers_that_rows_share_are_the_mean_of_their_part():
    numbers = np.repeat([1.0, 2.0, 3.0, 4.0], [400, 300, 200, 100])
    marginal = Marginal.learn(numbers, 5)

    middle = marginal.middle(numbers)

    drawn = marginal.forward(np.repeat(3.0, 20_000), np.random.default_rng(1))
    assert middle[numbers == 3.0] == pytest.approx(drawn.mean(), abs=0.01)
    assert middle.mean() == pytest.approx(0, abs=1e-9)


def test_a_model_is_the_same_on_any_number_of_threads():
    rng = np.random.default_rng(4)
    common, own = rng.normal(size=6000), rng.normal(size=(6000, 40))
    table = pa.table(
        {f"number {place}": common + own[:, place] for place in range(30)}
        | {f"word {place}": rng.choice(CITIES, 6000) for place in range(30, 40)}
    )

    learnt = []
    for threads in (1, 2, 4):
        with threadpool_limits(threads, user_api="blas"):
            learnt.append(GaussianCopula(seed=1).fit(table)._tensors()["correlation"].tobytes())

    assert learnt == learnt[:1] * 3


def test_learning_takes_little_more_memory_than_the_numbers_themselves():
    rows, columns = 300_000, 8
    means = np.random.default_rng(4).normal(size=(rows, columns))
    means[::7, 0] = np.nan
    whole = [Seen(None, means[:, [place]]) for place in range(columns)]

    tracemalloc.start()
    correlation = latent_correlation(in_line(whole)[1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 14 * rows * columns  # of which 8 are the numbers
    known = ~np.isnan(means[:, 0])
    assert correlation[0, 1] == pytest.approx(np.corrcoef(means[known, :2].T)[0, 1], abs=1e-3)
    assert correlation[2, 1] == pytest.approx(np.mean(means[:, 1] * means[:, 2]), abs=1e-3)
