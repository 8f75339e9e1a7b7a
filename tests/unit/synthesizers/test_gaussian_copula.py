import tracemalloc
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import ndtr, ndtri
from threadpoolctl import threadpool_limits

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.modes import Modes
from synthgen_ray.synthesizers.columns.normal import log_probability, truncated_normal
from synthgen_ray.synthesizers.sampling.conditional_normal import Bound, CorrelatedNormal
from synthgen_ray.synthesizers.sampling.latent_correlation import latent_correlation
from tests.unit.synthesizers.conftest import given_model

MATRIX = np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.1], [0.3, 0.1, 1.0]])
INF = np.inf


def bound(dimension: int, *intervals: tuple[float, float]) -> Bound:
    lows, highs = np.array(intervals, dtype=float).T
    return Bound(dimension, lows, highs, np.ones(len(lows)))


def many(count: int, low: float, high: float, share: float = 0.5) -> list[tuple[float, float]]:
    """So many intervals between two ends, each of that share of its place."""
    starts, width = np.linspace(low, high, count, endpoint=False), (high - low) / count
    return [(float(start), float(start + share * width)) for start in starts]


def rejected(*bounds: Bound, rows: int = 400_000) -> np.ndarray:
    """The same draws by plain rejection."""
    z = np.random.default_rng(9).multivariate_normal(np.zeros(3), MATRIX, rows)
    for one in bounds:
        inside = (z[:, [one.dimension]] >= one.lows) & (z[:, [one.dimension]] <= one.highs)
        z = z[inside.any(axis=1)]
    return z


@pytest.mark.parametrize(
    "bounds",
    [
        [],
        [bound(0, (1.0, 2.0))],
        [bound(1, (-INF, -1.0), (0.5, 0.7), (2.0, INF))],
        [bound(0, (0.5, INF)), bound(1, (-INF, 0.0))],
        [bound(0, (0.0, 1.0)), bound(1, (-1.0, 0.5)), bound(2, (0.2, INF))],
    ],
    ids=["none", "one", "several intervals", "two against each other", "all"],
)
def test_conditional_draws_are_those_of_rejection(bounds):
    expected = rejected(*bounds)

    z = CorrelatedNormal(MATRIX).draw(bounds, 20_000, np.random.default_rng(1))[0].T

    assert z.mean(axis=0) == pytest.approx(expected.mean(axis=0), abs=0.03)
    assert np.cov(z.T) == pytest.approx(np.cov(expected.T), abs=0.04)


@pytest.mark.parametrize("rows", [10, 20_000])
def test_intervals_of_related_columns_are_as_frequent_as_they_are_likely(rows):
    """Rows of one interval cannot reach the other step by step; the second column's say which of the first's."""
    matrix, x, y = np.array([[1.0, 0.99], [0.99, 1.0]]), [(-1.05, -0.95), (0.95, 1.05)], [(-1.25, -1.15), (0.95, 1.05)]
    likely = np.array([[rectangle(0.99, one, other) for other in y] for one in x])

    drawn = np.zeros((2, 2))
    for seed in range(20_000 // rows // 10 + 1):
        choices = CorrelatedNormal(matrix).draw([bound(0, *x), bound(1, *y)], rows, np.random.default_rng(seed))[1]
        np.add.at(drawn, tuple(choices), 1)

    assert drawn / drawn.sum() == pytest.approx(likely / likely.sum(), abs=0.04)
    assert likely[1, 1] > 2 * likely[0, 0]


@pytest.mark.parametrize(("rows", "draws"), [(50, 50), (20_000, 1)])
@pytest.mark.parametrize("correlation", [0.0, 0.8, -0.99])
def test_many_intervals_are_as_frequent_as_they_are_likely(correlation, rows, draws):
    matrix = np.array([[1.0, correlation], [correlation, 1.0]])
    x, y = many(40, -2, 2), [(-INF, -2.5), *many(30, -1, 3, 0.9)]
    likely = np.array([[rectangle(correlation, one, other) for other in y] for one in x])
    likely /= likely.sum()

    drawn = np.zeros_like(likely)
    for seed in range(draws):
        choices = CorrelatedNormal(matrix).draw([bound(0, *x), bound(1, *y)], rows, np.random.default_rng(seed))[1]
        np.add.at(drawn, tuple(choices), 1)
    drawn /= drawn.sum()

    for axis in (0, 1):
        assert drawn.sum(axis=axis) == pytest.approx(likely.sum(axis=axis), abs=2 * (rows * draws) ** -0.5)
    assert np.abs(drawn - likely).sum() < 2.5 * expected_error(likely, rows * draws)


def expected_error(likely: np.ndarray, draws: int) -> float:
    """Of so many independent draws, the sum of how far each share is off."""
    return float(np.sqrt(2 / np.pi * likely * (1 - likely) / draws).sum())


def test_draws_between_many_intervals_are_those_of_rejection():
    bounds = [bound(0, *many(20, -1, 1)), bound(1, *many(30, -0.5, 2)), bound(2, (0.2, INF))]
    expected = rejected(*bounds)

    z = CorrelatedNormal(MATRIX).draw(bounds, 20_000, np.random.default_rng(1))[0].T

    assert z.mean(axis=0) == pytest.approx(expected.mean(axis=0), abs=0.03)
    assert np.cov(z.T) == pytest.approx(np.cov(expected.T), abs=0.04)


def test_of_many_points_each_comes_by_its_density():
    points = np.linspace(-3, 3, 61)

    z, choices = CorrelatedNormal(MATRIX).draw(
        [bound(0, *zip(points, points, strict=True))], 50_000, np.random.default_rng(1)
    )

    assert (z[0] == points[choices[0]]).all()
    density = np.exp(-(points**2) / 2)
    assert np.bincount(choices[0], minlength=61) / 50_000 == pytest.approx(density / density.sum(), abs=0.005)


def test_a_row_does_not_weigh_each_of_many_intervals():
    bounds = [bound(0, *many(1000, -2, 2)), bound(1, *many(1000, -2, 2))]

    tracemalloc.start()
    CorrelatedNormal(MATRIX).draw(bounds, 10_000, np.random.default_rng(1))
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most_bytes < 10_000 * 1000  # a byte for each of them


def rectangle(correlation: float, x: tuple[float, float], y: tuple[float, float]) -> float:
    """How likely two normals are to be in two intervals, by quadrature."""
    points = np.linspace(*x, 2001)
    low, high = ((end - correlation * points) / (1 - correlation**2) ** 0.5 for end in y)
    return float(np.trapezoid(np.exp(-(points**2) / 2) * (ndtr(high) - ndtr(low)), points))


@pytest.mark.parametrize(
    "values",
    [[(0.0, INF)], [(-1.0, -0.9), (1.0, 1.5)], [(2.0, INF)], many(40, -2, 2)],
    ids=["half", "two intervals", "rare ones", "many intervals"],
)
def test_a_bound_that_some_rows_are_free_of_is_met_by_the_others(values):
    """Rows that the first dimension puts beyond 0.5 may be anywhere in the second."""
    last = (-0.2, 1.0)
    of_rows, of_values = bound(0, (-INF, 0.5), (0.5, INF)), replace(bound(1, *values), lifted=True)
    every = rejected(bound(2, last))
    expected = every[(every[:, 0] > 0.5) | inside(every[:, 1], values)]

    z, choices = CorrelatedNormal(MATRIX).draw([of_rows, of_values, bound(2, last)], 20_000, np.random.default_rng(1))

    assert ((z[0] > 0.5) == (choices[0] == 1)).all()
    assert ((choices[0] == 1) | inside(z[1], values)).all()
    assert choices[0].mean() == pytest.approx((expected[:, 0] > 0.5).mean(), abs=0.02)
    assert z.mean(axis=1) == pytest.approx(expected.mean(axis=0), abs=0.04)
    assert np.cov(z) == pytest.approx(np.cov(expected.T), abs=0.05)


def inside(numbers: np.ndarray, intervals: list[tuple[float, float]]) -> np.ndarray:
    return np.array([(low <= numbers) & (numbers <= high) for low, high in intervals]).any(axis=0)


@pytest.mark.parametrize("columns", [3, 12])
def test_nulls_of_any_number_of_columns_go_together_as_in_the_table(columns):
    """So many columns as one could not weigh each pattern of which is null."""
    rng = np.random.default_rng(0)
    is_null = (rng.random((2000, 1)) < 0.3) ^ (rng.random((2000, columns)) < 0.02)
    cells = {f"c{n}": pa.array(rng.choice(["a", "b", "c"], 2000), mask=is_null[:, n]) for n in range(columns)}
    kinds = [Column(name, ColumnKind.CATEGORICAL, nullable=True) for name in cells]
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table(cells), kinds)
    every = model.sample(100_000, seed=2).to_pandas()
    every = every[every.isin(["a", "b", None]).all(axis=1)]

    rows = model.sample(4000, seed=1, conditions={name: ["a", "b", None] for name in cells}).to_pandas()

    assert rows.isin(["a", "b", None]).all(axis=None)
    nulls, expected = (part.isna().sum(axis=1) for part in (rows, every))
    for most in (0, columns // 2, columns - 1):
        assert (nulls <= most).mean() == pytest.approx((expected <= most).mean(), abs=0.05)
    assert (rows.c0 == "a").mean() == pytest.approx((every.c0 == "a").mean(), abs=0.03)


def test_null_or_a_value_is_drawn_given_the_other_conditions():
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000)
    y = pa.array(np.where(rng.random(4000) < 0.5, 0.0, rng.normal(9, 1, 4000)), mask=x + rng.normal(size=4000) > 1)
    columns = (Column("x", ColumnKind.FLOAT), Column("y", ColumnKind.FLOAT, nullable=True))
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": x, "y": y}), columns)
    every = model.sample(40_000, seed=1).to_pandas()
    every = every[(every.x >= 1) & (every.y.isna() | (every.y == 0))]

    rows = model.sample(4000, seed=2, conditions={"x": {"min": 1}, "y": [None, 0.0]})

    assert rows["y"].null_count / 4000 == pytest.approx(every.y.isna().mean(), abs=0.03)


def test_a_point_gives_the_conditional_mean_and_variance():
    z = CorrelatedNormal(MATRIX).draw([bound(0, (1.5, 1.5))], 20_000, np.random.default_rng(1))[0].T

    assert set(z[:, 0]) == {1.5}
    assert z[:, 1].mean() == pytest.approx(0.8 * 1.5, abs=0.01)
    assert z[:, 1].std() == pytest.approx(0.6, abs=0.01)


def test_intervals_out_of_reach_are_met_all_the_same():
    z, choices = CorrelatedNormal(MATRIX).draw([bound(0, (30.0, 31.0), (45.0, 46.0))], 100, np.random.default_rng(1))

    assert ((z[0] >= 30) & (z[0] <= 31)).all()
    assert set(choices[0]) == {0}


def test_of_several_intervals_one_that_no_row_is_in_is_not_drawn():
    z, _ = CorrelatedNormal(MATRIX).draw([bound(0, (0.5, 0.5), (1.0, 2.0))], 1000, np.random.default_rng(1))

    assert z[0].min() >= 1.0


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-INF, INF, 0.0),
        (0.2, INF, np.log(ndtr(-0.2))),
        (1.0, 1.0 + 1e-9, np.log(1e-9) - 0.5 - np.log(2 * np.pi) / 2),
        (-1e-3, 1e-3, np.log(2e-3) - np.log(2 * np.pi) / 2),
        (-9.0, -8.0, np.log(ndtr(-8.0) - ndtr(-9.0))),
        (40.0, 41.0, -804.608442),
        (-41.0, -40.0, -804.608442),
        (1e6, 2e6, -5e11),
    ],
    ids=str,
)
def test_the_probability_of_an_interval_is_known_however_thin_or_far_it_is(low, high, expected):
    assert log_probability(np.array([low]), np.array([high])) == pytest.approx([expected], rel=1e-7, abs=1e-12)


def test_of_two_points_the_density_decides():
    near, far = log_probability(np.array([0.0, 3.0]), np.array([0.0, 3.0]))

    assert near - far == pytest.approx(4.5)


def test_correlations_are_over_the_rows_where_both_are_known():
    rng = np.random.default_rng(2)
    z = rng.multivariate_normal(np.zeros(3), MATRIX, 50_000)
    z[rng.random(50_000) < 0.4, 1] = np.nan

    assert latent_correlation(z) == pytest.approx(MATRIX, abs=0.02)


def test_columns_that_determine_each_other_stay_positive_definite():
    column = np.random.default_rng(2).standard_normal(100)

    assert np.linalg.eigvalsh(latent_correlation(np.column_stack([column, column, -column]))).min() > 0


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (2.0, INF), (-INF, -3.0), (8.0, 9.0), (-40.0, -39.0)], ids=str)
def test_truncated_normals_stay_inside_and_have_the_right_median(low, high):
    from scipy.stats import truncnorm

    z = truncated_normal(
        np.zeros(20_000), np.ones(20_000), np.full(20_000, low), np.full(20_000, high), np.random.default_rng(3)
    )

    assert low <= z.min() <= z.max() <= high
    if abs(low) < 30:
        assert np.median(z) == pytest.approx(truncnorm.median(low, high), abs=0.02)


RNG = np.random.default_rng(4)
COLUMNS = {
    "normal": RNG.normal(size=3000),
    "zero-inflated": np.where(RNG.random(3000) < 0.9, 0.0, RNG.lognormal(5, 2, 3000)),
    "few values": RNG.integers(0, 4, 3000).astype(float),
    "one value": np.ones(3000),
    "twenty rows": RNG.normal(size=20),
    "integers": RNG.poisson(40, 3000).astype(float),
}


class TestMarginal:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_makes_a_column_normal_and_comes_back(self, name):
        numbers = COLUMNS[name]
        marginal = Marginal.learn(numbers, 5)

        z = marginal.forward(numbers, np.random.default_rng(5))

        off = 1.0 if name == "twenty rows" else 0.08
        assert np.quantile(z, [0.1, 0.5, 0.9]) == pytest.approx(ndtri([0.1, 0.5, 0.9]), abs=off)
        inside = (numbers >= marginal.number[0]) & (numbers <= marginal.number[-1])
        assert np.isclose(marginal.back(z), numbers, atol=0.6)[inside].mean() > 0.99  # but for gaps beside atoms

    def test_atoms_come_back_exactly(self):
        numbers = COLUMNS["zero-inflated"]
        marginal = Marginal.learn(numbers, 5)

        drawn = marginal.back(np.random.default_rng(6).standard_normal(20_000))

        assert (drawn == 0).mean() == pytest.approx((numbers == 0).mean(), abs=0.01)
        assert np.quantile(drawn, 0.97) == pytest.approx(np.quantile(numbers, 0.97), rel=0.1)

    def test_values_of_a_few_rows_between_those_of_many_are_made_too_and_none_in_gaps_beside_these(self):
        chance = np.random.default_rng(6)
        few_each = np.append(chance.integers(100, 800, 2000), np.zeros(100))

        drawn = Marginal.learn(few_each, 5).back(chance.standard_normal(200_000)).round()

        assert len(np.unique(drawn)) > 0.95 * 700
        assert not ((drawn > 0) & (drawn < 100)).any()

    def test_no_knot_is_a_value_of_fewer_than_k_rows(self):
        numbers = COLUMNS["normal"]

        assert not set(Marginal.learn(numbers, 5).number) & set(numbers)


class TestModes:
    RNG = np.random.default_rng(7)

    @pytest.mark.parametrize(
        "numbers",
        [
            RNG.normal(size=2000),
            np.concatenate([RNG.normal(-50, 1, 1000), RNG.normal(50, 1, 1000)]),
            RNG.lognormal(0, 1.5, 2000),
        ],
        ids=["one", "two", "heavy tail"],
    )
    def test_numbers_come_back(self, numbers):
        modes = Modes.learn(*np.unique(numbers, return_counts=True), 5)

        codes, scalars = modes.encode(numbers, self.RNG)

        back = modes.decode(codes, scalars)
        assert np.abs(scalars).max() <= 0.99
        assert np.isclose(back, numbers, atol=1e-4, rtol=1e-4).mean() > 0.995
        assert np.quantile(back, 0.999) == pytest.approx(np.quantile(numbers, 0.999), rel=0.05)

    @pytest.mark.parametrize("number", [0.5, 1.5, 2.5])
    def test_a_number_between_two_is_of_either_as_often_as_that_has_made_it(self, number):
        """By Bayes: of normals around 0 and 3, of sd 1, from which 70 % and 30 % of the numbers are."""
        modes = Modes(centers=(0.0, 3.0), scales=(4.0, 4.0), weights=(0.7, 0.3))
        likely = np.array([0.7, 0.3]) * np.exp(-0.5 * (number - np.array([0.0, 3.0])) ** 2)

        codes, scalars = modes.encode(np.full(20_000, number), self.RNG)

        assert codes.mean() == pytest.approx(likely[1] / likely.sum(), abs=0.015)
        assert np.allclose(modes.decode(codes, scalars), number)

    def test_a_value_that_many_rows_share_is_a_mode_without_width(self):
        numbers = np.where(self.RNG.random(2000) < 0.8, 7.25, self.RNG.normal(0, 30, 2000))

        modes = Modes.learn(*np.unique(numbers, return_counts=True), 5)

        assert modes.centers[-1] == 7.25
        assert modes.scales[-1] == 0
        assert modes.weights[-1] == pytest.approx(0.8, abs=0.03)

    def test_no_mode_is_of_fewer_than_k_rows(self):
        numbers = np.concatenate([self.RNG.normal(0, 1, 196), [500.0, 900.0, 900.1, 5000.0]])

        modes = Modes.learn(*np.unique(numbers, return_counts=True), 5)

        assert not {500.0, 900.0, 5000.0} & set(np.round(modes.centers, 3))

    def test_chances_of_a_range_add_up(self):
        modes = Modes(centers=(0.0, 10.0, 5.0), scales=(4.0, 8.0, 0.0), weights=(0.4, 0.4, 0.2))
        cuts = np.array([-INF, 3.0, 5.0, 7.0, INF])

        shares = [modes.share_between(np.zeros(1), 0.25, cuts[[i]], cuts[[i + 1]]) for i in range(4)]

        assert sum(shares)[0, :2] == pytest.approx([1, 1])
        assert [share[0, 2] for share in shares] == [0, 1, 1, 0]  # 5 is in both ranges that it ends


def test_a_wide_chunk_has_the_same_bytes_on_any_number_of_threads():
    table = pa.table(
        {f"x{place}": column for place, column in enumerate(np.random.default_rng(0).normal(size=(160, 300)))}
    )
    model = given_model(ModelType.GAUSSIAN_COPULA, table, None)
    chunks = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            chunks.append(model.sample_chunk(0, 500, seed=1))

    assert chunks[0].equals(chunks[1])
