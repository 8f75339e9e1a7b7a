"""Prices end as those of the table do, each ending as often."""

import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.params import Range
from synthgen_ray.synthesizers.columns.endings import Endings
from synthgen_ray.synthesizers.columns.heaps import LocalHeaps
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec

CHANCE = np.random.default_rng(4)
ROWS = 3000
DOLLARS = CHANCE.lognormal(6, 1.2, ROWS).astype(int)
CENTS = CHANCE.choice([99, 49, 95], ROWS, p=[0.6, 0.3, 0.1])
PRICES = DOLLARS + CENTS / 100


def learnt(values) -> NumberCodec:
    column = pa.chunked_array([pa.array(values)])
    return NumberCodec.learn("x", column, 5, 1, frozenset({"marginal"}), "empirical", CHANCE)


def made(codec: NumberCodec, condition: Range | None = None, rows: int = 5000) -> pa.Array:
    rng = np.random.default_rng(5)
    numbers, nulls = codec.marginal_or_fail.back(rng.standard_normal(rows)), np.zeros(rows, dtype=bool)
    target = codec.target(condition) if condition else None
    return codec.written(NumberCells.obeying(numbers, nulls, target, np.zeros(rows, dtype=int)), rng)


def shares(values, unit: int = 100, scale: int = 100) -> dict[int, float]:
    rests, counts = np.unique(np.rint(np.array(values, dtype=float) * scale).astype(int) % unit, return_counts=True)
    return dict(zip(rests.tolist(), (counts / counts.sum()).tolist(), strict=True))


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (PRICES, 100),
        (np.rint(PRICES * 100).astype(np.int64), 1),
        ([Decimal(f"{price:.2f}") for price in PRICES], 100),
        (PRICES.clip(0, 9999.99).astype(np.float32), 100),
        (DOLLARS + CHANCE.choice([0.99, 0.0], ROWS), 100),
    ],
    ids=["floats", "cents", "decimals", "single precision", "whole dollars too"],
)
def test_endings_are_as_frequent_as_in_the_table(values, scale):
    codec = learnt(values)

    drawn = made(codec)

    assert NumberCodec.model_validate_json(codec.model_dump_json()).model_dump() == codec.model_dump()
    found, expected = shares(drawn.to_pylist(), scale=scale), shares(values, scale=scale)
    usual = sum(found.get(rest, 0.0) for rest in expected)
    assert usual > 0.99  # an end of the column is a mean of k rows, and may end in any way
    assert [found[rest] for rest in expected] == pytest.approx(list(expected.values()), abs=0.05)
    numbers, as_drawn = (
        np.array(rows, dtype=float) for rows in (drawn, made(codec.model_copy(update={"heaps": None})))
    )
    assert np.abs(numbers - as_drawn).max() < 200 / scale  # within a round number and the next, or beside an atom
    assert len(set(drawn.to_pylist())) > 500


def test_a_number_that_many_rows_share_neither_gets_an_ending_nor_gives_one():
    free = np.where(CHANCE.random(ROWS) < 0.2, 0.0, PRICES)

    drawn = np.array(made(learnt(free)))

    assert (drawn == 0).mean() == pytest.approx((free == 0).mean(), abs=0.03)
    assert sum(shares(drawn[drawn > 0])[rest] for rest in (49, 95, 99)) > 0.99


def test_what_is_asked_for_is_kept():
    drawn = np.array(made(learnt(PRICES), Range(min=200, max=300)))

    assert 200 <= drawn.min() <= drawn.max() <= 300
    assert sum(shares(drawn[drawn < 300])[rest] for rest in (49, 95, 99)) > 0.99


def test_amounts_may_end_in_digits_of_whole_numbers():
    """Counted in steps of the grid that all are on, which is the odd numbers of the first."""
    tens, thousands = (
        learnt(DOLLARS * unit + CHANCE.choice(endings, ROWS)).heaps
        for unit, endings in ((10, [9, 5]), (1000, [999, 990, 500]))
    )

    assert (tens.length, tens.rests) == (5, (2, 4))
    assert (thousands.length, thousands.rests) == (1000, (500, 990, 999))


@pytest.mark.parametrize(
    "values",
    [
        np.round(CHANCE.lognormal(6, 1.2, ROWS), 2),
        np.append(PRICES, np.round(CHANCE.lognormal(6, 1.2, ROWS // 20), 2)),
        np.where(CHANCE.random(ROWS) < 0.5, (DOLLARS / 100).round() * 100, DOLLARS),
    ],
    ids=["of any cents", "but for some of any cents", "round ones"],
)
def test_there_are_none_where_other_endings_are_usual_too(values):
    assert not isinstance(learnt(values).heaps, Endings)


def test_endings_of_fewer_than_k_rows_are_not_learnt():
    codec = learnt(np.append(PRICES, [17.31, 18.31, 19.31, 20.31]))

    assert len(codec.heaps.rests) == 3
    assert 31 not in shares(made(codec).to_pylist())


def test_no_number_is_put_on_an_atom_where_another_is_near():
    endings = Endings(length=100, rests=(49, 99), shares=(0.5, 0.5))

    put = endings.put(
        np.array([10.0, 60.0, 110.0]), np.array([49.0, 199.0]), np.array(0.0), np.array(500.0), rng=CHANCE
    )

    assert put.tolist() == [99.0, 99.0, 149.0]


@pytest.mark.parametrize(
    "touched",
    [
        {"length": 1},
        {"rests": [49, 49, 99]},
        {"rests": [49, 95, 100]},
        {"shares": [0.5, 0.5]},
        {"shares": [0.5, 0.5, 0.5]},
    ],
)
def test_touched_endings_are_refused(touched):
    sound = learnt(PRICES).heaps.model_dump(mode="json")

    with pytest.raises(ValueError, match="1 validation error"):
        Endings.model_validate_json(json.dumps(sound | touched))


def test_round_numbers_are_kept_as_before():
    assert isinstance(
        learnt(np.where(CHANCE.random(ROWS) < 0.5, np.rint(DOLLARS / 100) * 100, DOLLARS)).heaps, LocalHeaps
    )
