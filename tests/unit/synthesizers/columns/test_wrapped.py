"""Numbers that a column keeps as text, or in a dictionary, are learnt as numbers and come back as they were written."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType, Range
from synthgen_ray.synthesizers.columns.category import CategoryCodec
from synthgen_ray.synthesizers.columns.number import NumberCodec
from synthgen_ray.synthesizers.columns.text import TextCodec
from synthgen_ray.synthesizers.columns.wrapped import Wrapped
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(2)
NUMBERS = RNG.normal(0, 100, 400)
K = 5


def found(texts) -> Wrapped | None:
    return Wrapped.find(pa.chunked_array([pa.array(texts)]), K)


@pytest.mark.parametrize(
    "texts",
    [
        [f"{number:.2f}" for number in NUMBERS],
        [f"{number:.0f}" for number in NUMBERS * 100],
        [f"{number:.3f}".rstrip("0").rstrip(".") for number in NUMBERS],
        [" " if number < -100 else f"{number:.1f}" for number in NUMBERS],
        [None if number < -100 else f"{number:.1f}" for number in NUMBERS],
        [f"{number / 1e6:.10f}".rstrip("0").rstrip(".") for number in NUMBERS],
        ["0.00005", "-0.00005", "0.000000000000001", "0.5", "999999999999999", "12345"] * 5,
    ],
    ids=["two decimals", "whole", "as few as needed", "blanks", "nulls", "small", "small and large"],
)
def test_texts_that_are_numbers_are_read_and_written_back(texts):
    wrapped = found(texts)
    column = pa.chunked_array([texts])

    numbers = wrapped.unwrap(column)

    assert pa.types.is_integer(numbers.type) or pa.types.is_floating(numbers.type)
    assert wrapped.wrap(numbers).to_pylist() == ["0.0" if text == "-0.0" else text for text in texts]


@pytest.mark.parametrize(
    "texts",
    [
        ["007", "123", "456"] * 20,
        ["1", "2", "x", "y"] * 20,
        [*["12.5"] * 100, "only once"],
        [*["12.5"] * 50, *[" "] * 5, None],
        ["words and words"] * 20,
        ["1", "2"] + [None] * 50,
        ["9" * 40] * 50,
    ],
    ids=["codes", "two words", "a rare word", "two kinds of missing", "prose", "few", "long"],
)
def test_other_texts_are_left_alone(texts):
    assert found(texts) is None


def test_numbers_of_a_dictionary_come_back_in_a_dictionary():
    column = pa.chunked_array([pa.array(NUMBERS).dictionary_encode()])
    wrapped = Wrapped.find(column, K)

    assert wrapped.wrap(wrapped.unwrap(column)).type == column.type


@pytest.mark.parametrize("model_type", [ModelType.TVAE, ModelType.GAUSSIAN_COPULA])
@pytest.mark.parametrize("kind", [ColumnKind.TEXT, ColumnKind.FLOAT, ColumnKind.CATEGORICAL])
def test_a_model_learns_their_distribution(model_type, kind):
    texts = [" " if number < -100 else f"{number:.1f}" for number in NUMBERS]
    texts = texts if kind is not ColumnKind.CATEGORICAL else [f"{number:.9f}" for number in NUMBERS]

    model = given_model(model_type, pa.table({"x": texts}), (Column("x", kind),))
    rows = model.sample(1000, seed=1)["x"].to_pylist()

    assert isinstance(model.codec.learnt[0], NumberCodec)
    real, made = (np.array([float(text) for text in part if text != " "]) for part in (texts, rows))
    assert made.mean() == pytest.approx(real.mean(), abs=15)
    assert made.std() == pytest.approx(real.std(), rel=0.2)
    assert rows.count(" ") / 1000 == pytest.approx(texts.count(" ") / 400, abs=0.05)
    decimals = {len(text) - text.index(".") - 1 for text in rows if text != " "}
    assert decimals == ({1} if kind is not ColumnKind.CATEGORICAL else {9})


@pytest.mark.parametrize(
    ("texts", "codec"),
    [
        ([f"{number:.2f}" for number in np.exp(RNG.normal(-1, 1.5, 3000))], NumberCodec),
        (["<0.01" if number < 0.02 else f"{number:.2f}" for number in np.exp(RNG.normal(-1, 1.5, 3000))], NumberCodec),
        (["none"] * 1700 + [f"{number:.7f}" for number in RNG.normal(size=1300)], NumberCodec),
        ([f"{trade:.2f}" for trade in RNG.permutation(9999)[RNG.zipf(1.3, 3000) % 600] / 100], CategoryCodec),
        ([f"{code}" for code in RNG.permutation(9999)[RNG.zipf(1.3, 3000) % 600]], CategoryCodec),
        ([f"1.{n}" for n in RNG.zipf(1.3, 3000) % 600], CategoryCodec),
    ],
    ids=["measures", "measures and a marker", "measures and many markers", "trades", "codes", "versions"],
)
def test_categories_many_of_which_are_rare_are_numbers_only_if_they_are_measures(texts, codec):
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": texts}), (Column("x", ColumnKind.CATEGORICAL),))

    assert isinstance(model.codec.columns[0], codec)


def test_of_numbers_that_repeat_and_are_declared_to_be_text_none_comes_out():
    badges = np.resize(RNG.permutation(900_000)[:60] + 100_000, 600).astype(str)
    table = pa.table({"badge": badges, "paid": RNG.normal(size=600)})

    model = given_model(
        ModelType.GAUSSIAN_COPULA, table, (Column("badge", ColumnKind.TEXT), Column("paid", ColumnKind.FLOAT))
    )

    made = model.sample(2000, seed=1)["badge"].to_pylist()
    assert not set(made) & set(badges.tolist())
    assert {len(text) for text in made} == {6}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("odd", "codec"), [("unknown", TextCodec), ("0.5", NumberCodec)])
def test_what_one_text_tells_of_its_column_is_true_whoever_is_held_out(odd, codec, seed):
    texts = [odd, *(f"{number:.0f}" for number in NUMBERS)]
    table = pa.table({"x": texts, "y": np.arange(len(texts))})
    columns = (Column("x", ColumnKind.TEXT), Column("y", ColumnKind.INTEGER))

    model = given_model(ModelType.GAUSSIAN_COPULA, table, columns, seed=seed, holdout_fraction=0.5)

    assert isinstance(model.codec.columns[0], codec)
    if codec is NumberCodec:
        assert model.obeying(table, {"x": Range(min=-1000)}).num_rows == len(texts)


def test_texts_with_blanks_are_refined_beside_other_columns():
    paid = np.where(NUMBERS < -100, " ", np.char.mod("%.1f", NUMBERS))
    table = pa.table({"paid": paid, "plan": np.where(NUMBERS > 0, "large", "small")})
    columns = (Column("paid", ColumnKind.FLOAT), Column("plan", ColumnKind.CATEGORICAL))

    model = given_model(ModelType.GAUSSIAN_COPULA, table, columns, refine=True)

    assert model._refinement is not None
    rows = model.sample(300, seed=1).to_pydict()
    assert " " in rows["paid"]
    signs = [(float(text) > 0) == (plan == "large") for text, plan in zip(*rows.values(), strict=True) if text != " "]
    assert np.mean(signs) > 0.9
