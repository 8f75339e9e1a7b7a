"""As many numbers are round as in the table, also where few rows share one."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.params import Range
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec

CHANCE = np.random.default_rng(4)
ROWS = 1000
PERCENTAGES = CHANCE.normal(60, 12, ROWS)
SUMS = CHANCE.lognormal(10, 0.5, ROWS)


def learnt(numbers: np.ndarray, k: int = 5) -> NumberCodec:
    column = pa.chunked_array([pa.array(numbers)])
    return NumberCodec.learn("x", column, k, 1, frozenset({"marginal"}), "empirical", CHANCE)


def made(codec: NumberCodec, condition: Range | None = None, rows: int = 5000) -> np.ndarray:
    rng = np.random.default_rng(5)
    numbers, nulls = codec.marginal_or_fail.back(rng.standard_normal(rows)), np.zeros(rows, dtype=bool)
    target = codec.target(condition) if condition else None
    return codec.written(NumberCells.obeying(numbers, nulls, target, np.zeros(rows, dtype=int)), rng).to_numpy()


def on(numbers: np.ndarray, grid: float) -> float:
    return float(np.isclose(numbers / grid, np.rint(numbers / grid), atol=1e-6).mean())


@pytest.mark.parametrize(
    ("numbers", "grids"),
    [
        (np.where(CHANCE.random(ROWS) < 0.6, PERCENTAGES.round(), PERCENTAGES.round(2)), (1.0, 0.1)),
        (np.where(CHANCE.random(ROWS) < 0.6, (SUMS / 100).round() * 100, SUMS.round()).astype(np.int64), (100, 10)),
    ],
    ids=["percentages", "sums"],
)
def test_as_many_are_round_as_in_the_table(numbers, grids):
    codec = learnt(numbers)

    drawn = made(codec)

    assert NumberCodec.model_validate_json(codec.model_dump_json()).model_dump() == codec.model_dump()
    assert [on(drawn, grid) for grid in grids] == pytest.approx([on(numbers, grid) for grid in grids], abs=0.05)
    assert np.quantile(drawn, [0.2, 0.5, 0.8]) == pytest.approx(np.quantile(numbers, [0.2, 0.5, 0.8]), rel=0.05)
    round_one = np.median(numbers) // grids[0] * grids[0]
    asked = made(codec, Range(min=round_one + grids[1], max=round_one + grids[0] - grids[1]))
    assert round_one < asked.min() <= asked.max() < round_one + grids[0]


def test_hundreds_are_round_where_few_rows_share_them_and_no_atom_gets_more():
    """Of most incomes all hundreds are atoms; above these half of them are round too."""
    rows, chance = 20_000, np.random.default_rng(6)
    incomes, digits = chance.lognormal(10, 0.7, rows), chance.random(rows)
    grid = np.select([digits < 0.2, digits < 0.5], [1000, 100], 1)
    incomes = (np.rint(incomes / grid) * grid).astype(np.int64)
    codec = learnt(incomes)
    atoms = codec.form.origin + np.rint(codec._atoms())

    drawn = made(codec, rows=50_000)

    high = np.quantile(incomes, 0.9)
    assert np.isin(drawn, atoms).mean() == pytest.approx(np.isin(incomes, atoms).mean(), abs=0.01)
    assert on(drawn[drawn > high], 100) == pytest.approx(on(incomes[incomes > high], 100), abs=0.06)
    assert on(drawn[drawn <= high], 100) == pytest.approx(on(incomes[incomes <= high], 100), abs=0.02)


def test_under_a_family_all_numbers_tell_what_is_round():
    """None comes back exactly there: those of many rows are no atoms, and what few others have is not put on all."""
    chance = np.random.default_rng(7)
    numbers = np.append(chance.integers(0, 150, 39_000), chance.integers(100, 600, 1000) * 100)
    half = np.where(chance.random(ROWS) < 0.5, (SUMS / 100).round() * 100, SUMS.round())

    def drawn(column: np.ndarray) -> np.ndarray:
        codec = NumberCodec.learn(
            "x", pa.chunked_array([column.astype(np.int64)]), 5, 1, frozenset({"marginal"}), "norm", CHANCE
        )
        return made(codec)

    rows = drawn(numbers)
    assert on(rows[rows > 0], 100) < 0.1  # half of a normal distribution is below their lower end
    assert on(drawn(half), 100) == pytest.approx(on(half, 100), abs=0.1)


def test_a_file_of_before_puts_numbers_as_it_did():
    numbers = np.where(CHANCE.random(ROWS) < 0.6, PERCENTAGES.round(), PERCENTAGES.round(2))
    before = learnt(numbers).model_dump() | {"heaps": {"units": (100,), "shares": (1.0,)}}

    drawn = made(NumberCodec.model_validate(before))

    assert on(drawn, 1.0) > 0.97  # all but those beside the ends


@pytest.mark.parametrize("numbers", [PERCENTAGES.round(2), SUMS.round(), np.rint(SUMS / 100) * 100])
def test_where_all_digits_are_as_chance_has_them_none_is_rounded(numbers):
    assert "heaps" not in learnt(numbers).model_dump()


def test_what_fewer_than_k_rows_have_is_not_learnt():
    numbers = np.where(np.arange(ROWS) < 40, PERCENTAGES.round(), (np.floor(PERCENTAGES * 100) * 10 + 1) / 1000)

    assert learnt(numbers).heaps
    assert learnt(numbers, k=60).heaps is None
