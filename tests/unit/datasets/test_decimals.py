"""Decimals become the floats that are nearest to them."""

from decimal import Decimal, localcontext

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.datasets.canonical import canonical
from synthgen_ray.datasets.decimals import ROWS, as_floats

RNG = np.random.default_rng(4)


def given_decimals(type_: pa.DataType, rows: int = 500) -> list[Decimal | None]:
    """Of as many digits as the type has, and of few, with a null among them."""
    with localcontext() as context:
        context.prec = 80
        digits = [int("".join(map(str, RNG.integers(0, 10, type_.precision)))) for _ in range(rows)]
        few = RNG.integers(-999, 999, rows).tolist()
        return [None, *(Decimal(number).scaleb(-type_.scale) for number in digits + few)]


@pytest.mark.parametrize(
    "type_",
    [
        pa.decimal32(7, 2),
        pa.decimal64(15, 4),
        pa.decimal128(7, 2),
        pa.decimal128(17, 2),
        pa.decimal128(38, 10),
        pa.decimal128(38, 38),
        pa.decimal128(20, -3),
        pa.decimal256(76, 40),
    ],
    ids=str,
)
def test_each_is_rounded_once(type_):
    values = given_decimals(type_)
    array = pa.array(values, type_)

    floats = as_floats(pa.chunked_array([array[3:], array[:0], array[:3]]))

    assert floats.to_pylist() == [None if value is None else float(value) for value in values[3:] + values[:3]]


def test_long_columns_are_read_piece_by_piece():
    column = pa.chunked_array([pa.array([Decimal("0.35"), None, Decimal("8.99")] * ROWS, pa.decimal128(20, 2))])

    floats = as_floats(column)

    assert floats.num_chunks == 3
    assert floats.unique().to_pylist() == [0.35, None, 8.99]


def test_a_column_of_nulls_or_of_nothing_stays_one():
    type_ = pa.decimal128(5, 2)

    assert as_floats(pa.chunked_array([pa.nulls(3, type_)])).to_pylist() == [None] * 3
    assert as_floats(pa.chunked_array([], type_)).type == pa.float64()


def test_an_upload_keeps_the_cents_of_its_decimals():
    cents = RNG.integers(0, 10**7, 300)
    prices = pa.array([Decimal(int(cent)) / 100 for cent in cents], pa.decimal128(9, 2))

    table, _ = canonical(pa.table({"price": prices, "code": prices.dictionary_encode()}))

    assert table["price"].to_pylist() == table["code"].to_pylist() == (cents / 100).tolist()
