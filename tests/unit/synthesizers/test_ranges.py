"""What is asked of a column of numbers gives the rows that rejection would give, however its atoms are drawn."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import ks_2samp

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType, Range
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.modes import Modes
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.columns.quantile_map import QuantileMap
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.sampling.conditions import Heads, draw_obeying
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(6)
ROWS = 4000
ZERO = RNG.random(ROWS) < 0.9
COLUMNS = {
    "whole": np.where(ZERO, 0, RNG.integers(1, 10_000, ROWS)),
    "decimals": np.where(ZERO, 0, np.round(RNG.uniform(0.01, 10_000, ROWS), 2)),
    "real": np.where(ZERO, 0, RNG.uniform(0, 10_000, ROWS)),
}


class Network:
    """Of one column, which it draws from its modes, an atom too often or too seldom."""

    def __init__(self, numbers: np.ndarray, maps: frozenset[str], atom: float) -> None:
        column, rng = pa.chunked_array([numbers]), np.random.default_rng(1)
        self.codec = NumberCodec.learn("x", column, 5, 1, maps, "empirical", rng)
        modes = self.codec.modes_or_fail
        shares = np.array(modes.weights)
        is_atom = np.array(modes.scales) == 0 if "marginal" not in maps else np.array(modes.centers) < 1
        shares[is_atom] *= atom / shares[is_atom].sum()
        shares[~is_atom] *= (1 - atom) / shares[~is_atom].sum()
        self._logits = np.append(0.1, np.log(shares))
        source = Marginal.learn(self._numbers(30_000), 5, 1000)
        target = self.codec.marginal or Marginal.learn(self.codec.form.forward(column.combine_chunks()), 5)
        self.codec = self.codec.model_copy(update={"calibration": QuantileMap(source=source, target=target)})

    def cells(self, rows: int, condition: object = None) -> NumberCells:
        target = None if condition is None else self.codec.target(condition)
        rng = np.random.default_rng(2)
        drawn = draw_obeying(
            rows, self._propose, [self.codec], Layout([self.codec]), {} if target is None else {"x": target}, rng
        )
        choices = drawn.choices.get("x")
        return self.codec.cells(drawn.codes_BK[:, 0], drawn.scalars_BS[:, 0], rng, target, choices)

    def rows(self, rows: int, condition: object = None) -> np.ndarray:
        return self.codec.written(self.cells(rows, condition), np.random.default_rng(3)).to_numpy()

    def _numbers(self, rows: int) -> np.ndarray:
        return self.cells(rows).numbers

    def _propose(self, count: int) -> Heads:
        return Heads(np.tile(self._logits.astype(np.float32)[:, None], count).T, np.array([0.4]))


@pytest.fixture(scope="module", params=[frozenset({"modes"}), frozenset({"modes", "marginal"})], ids=["modes", "both"])
def maps(request):
    return request.param


@pytest.fixture(scope="module", params=[0.85, 0.95], ids=["too few", "too many"])
def atom(request):
    return request.param


@pytest.fixture(scope="module", params=COLUMNS)
def network(request, maps, atom):
    return Network(COLUMNS[request.param], maps, atom)


@pytest.fixture(scope="module")
def every(network):
    """Many of its rows, of which ranges are cut."""
    return network.rows(60_000)


@pytest.mark.parametrize(
    "asked",
    [
        Range(min=1),
        Range(max=0),
        Range(max=3000),
        Range(min=2000, max=4000),
        Range(min=1, max=9000),
        Range(min=0),
    ],
    ids=str,
)
def test_a_range_gives_the_rows_that_rejection_gives(network, every, asked):
    inside = (every >= (asked.min or 0)) & (every <= (every.max() if asked.max is None else asked.max))

    rows = network.rows(2000, asked)

    assert ks_2samp(rows, every[inside], method="asymp").statistic < 0.06
    ends = [end for end in (asked.min, asked.max) if end]
    assert np.isin(rows, ends).mean() < 0.01


def test_rows_are_inside_before_they_are_written_for_the_other_columns_to_see(network):
    for asked in (Range(min=1), Range(min=2000, max=2200), 5000):
        numbers = network.cells(300, asked).numbers

        values = network.codec.written(NumberCells(numbers, np.zeros(300, dtype=bool)), RNG).to_numpy()
        low, high = (asked.min, asked.max or 10_000) if isinstance(asked, Range) else (asked, asked)
        assert low <= values.min() <= values.max() <= high


def test_of_several_values_each_comes_as_often_as_in_the_table():
    numbers = np.repeat([0, 10, 20, 30], [3000, 300, 100, 600])
    network = Network(numbers, frozenset({"modes"}), 0.9)

    rows = network.rows(4000, [0, 10, 20, 10])

    counts = [np.mean(rows == value) for value in (0, 10, 20)]
    assert counts == pytest.approx([30 / 34, 3 / 34, 1 / 34], abs=0.05)


def test_a_value_that_hardly_any_row_has_is_as_rare_beside_one_that_many_have():
    numbers = np.where(RNG.random(ROWS) < 0.1, 0, np.round(RNG.uniform(0, 1000, ROWS), 2))
    network = Network(numbers, frozenset({"modes"}), 0.1)
    table = pa.table({"x": pa.array(numbers, mask=numbers == 0)})
    copula = given_model(ModelType.GAUSSIAN_COPULA, table, (Column("x", ColumnKind.FLOAT),))

    assert np.mean(network.rows(2000, [0, 500.0]) == 500) < 0.005
    assert np.mean(copula.sample(2000, seed=1, conditions={"x": [None, 500.0]})["x"].is_valid()) < 0.005


@pytest.mark.parametrize("model_type", ModelType)
def test_a_range_within_a_percent_of_a_column_is_not_drawn_to_its_ends(model_type):
    table = pa.table({"x": RNG.uniform(0, 100, 1000), "y": RNG.normal(size=1000)})
    model = given_model(model_type, table, tuple(Column(name, ColumnKind.FLOAT) for name in "xy"))

    rows = model.sample(1000, seed=1, conditions={"x": {"min": 30, "max": 31}})["x"].to_numpy()

    assert np.isin(rows, [30, 31]).mean() < 0.02
    assert np.quantile(rows, [0.25, 0.5, 0.75]) == pytest.approx([30.25, 30.5, 30.75], abs=0.2)


def test_ranges_are_told_apart_in_columns_of_any_size():
    modes = Modes(centers=(0.0, 1e-20), scales=(4e-21, 4e-21), weights=(0.5, 0.5))

    inside = modes.share_between(np.zeros(1), 0.25, np.array([9e-21]), np.array([1.1e-20]))

    assert inside[0, 0] < 0.01
    assert inside[0, 1] > 0.6


def test_of_a_point_the_nearest_mode_knows_most():
    modes = Modes(centers=(0.0, 10.0), scales=(4.0, 4.0), weights=(0.5, 0.5))

    near, far = modes.share_between(np.zeros(1), 0.25, np.array([1.0]), np.array([1.0]))[0]

    assert near > 100 * far > 0


@pytest.mark.parametrize("spread", [0.0, 0.01])
def test_scalars_that_do_not_come_so_far_by_themselves_are_spread_over_the_range_as_their_mode_is(spread):
    modes, rows = Modes(centers=(50.0,), scales=(40.0,), weights=(1.0,)), 2000
    codes, scalars = np.zeros(rows, dtype=int), RNG.uniform(-0.5, 0.4, rows)

    drawn = modes.draw_between(codes, scalars, spread, np.tile([70.0, 90.0], (rows, 1)), RNG)

    every = RNG.normal(50, 10, 200_000)
    assert ks_2samp(modes.decode(codes, drawn), every[(every > 70) & (every < 90)]).statistic < 0.04


def test_scalars_that_lie_in_a_range_stay_near_where_they_are():
    modes, scalars = Modes(centers=(50.0,), scales=(40.0,), weights=(1.0,)), RNG.uniform(0.5, 1, 2000)

    drawn = modes.draw_between(np.zeros(2000, dtype=int), scalars, 0.0, np.tile([70.0, 90.0], (2000, 1)), RNG)

    assert np.quantile(np.abs(drawn - scalars), 0.99) < 0.06
