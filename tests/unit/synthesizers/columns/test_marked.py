"""A value that many rows share beside a grid or a calendar spoils neither."""

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import create
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.forms import learn_form
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.marked import MarkedForm

K, ROWS = 5, 3000
RNG = np.random.default_rng(12)
DAYS = np.arange("2010-01-04", "2021-01-04", dtype="datetime64[D]")
WORKDAYS = RNG.choice(DAYS[np.is_busday(DAYS)], ROWS)
MIDNIGHTS = WORKDAYS.astype("M8[s]")
AT_WORK = MIDNIGHTS + (9 * 3600 + RNG.integers(0, 8 * 3600, ROWS)).astype("m8[s]")
PRICES = RNG.lognormal(4, 1.2, ROWS).astype(int) + 0.99
LAST_SECOND, LAST_DAY = np.datetime64("9999-12-31T23:59:59"), np.datetime64("9999-12-31")


def beside(values: np.ndarray, *markers, share: float = 0.2) -> np.ndarray:
    """The values with each marker in so large a share of the rows."""
    values = values.copy()
    for place, marker in enumerate(markers):
        values[np.arange(place, int(ROWS * share), len(markers))] = marker
    return RNG.permutation(values)


def money(prices: np.ndarray, type_: pa.DataType) -> pa.Array:
    return pa.array([Decimal(f"{price:.2f}") for price in prices]).cast(type_)


def in_zone(moments: np.ndarray) -> pa.Array:
    return pc.assume_timezone(pa.array(moments), "Europe/Berlin")


MARKED = {
    "open end": pa.array(beside(MIDNIGHTS, LAST_SECOND)),
    "an odd second": pa.array(beside(MIDNIGHTS, np.datetime64("2016-12-31T23:59:58"))),
    "last day": pa.array(beside(WORKDAYS, LAST_DAY)),
    "first day": pa.array(beside(WORKDAYS, np.datetime64("1753-01-01"))),
    "both ends": pa.array(beside(WORKDAYS, np.datetime64("0001-01-01"), LAST_DAY)),
    "opening hours": pa.array(beside(AT_WORK, LAST_SECOND)),
    "summer time": in_zone(beside(MIDNIGHTS, LAST_SECOND)),
    "few free": pa.array(beside(PRICES, 0.0, share=0.005)),
    "most free": pa.array(beside(PRICES, 0.0, share=0.6)),
    "two other prices": pa.array(beside(PRICES, 0.0, 100.0)),
    "in cents": pa.array(beside(np.rint(PRICES * 100).astype(np.int64), 0)),
    "unsigned": pa.array(beside(np.rint(PRICES * 100).astype(np.uint64), np.uint64(2**40))),
    "decimals": money(beside(PRICES, 0.0), pa.decimal128(12, 2)),
    "narrow decimals": money(np.clip(beside(PRICES, 0.0), 0, 9999.99), pa.decimal64(8, 2)),
    "single precision": pa.array(beside(PRICES, 0.1)).cast(pa.float32()),
    "hours": pa.array(beside(RNG.integers(0, 3000, ROWS) * 3600, -1)),
    "of seven": pa.array(beside(RNG.integers(0, 3000, ROWS) * 7, -1, 5, 99_999)),
}


@pytest.fixture(params=MARKED.values(), ids=MARKED.keys())
def array(request):
    return request.param


@pytest.fixture
def form(array):
    form = learn_form(array, K)
    assert isinstance(form, MarkedForm)
    return form


def drawn(form: MarkedForm, array: pa.Array, rows: int = 5000) -> pa.Array:
    marginal = Marginal.learn(form.forward(array), K)
    return form.back(marginal.back(np.random.default_rng(9).standard_normal(rows)))


def keeps(form: MarkedForm, array: pa.Array) -> pa.Array:
    """Whether each value is on the grid or the calendar of the others, by what these are."""
    if not arrow.is_integral(array.type):
        cents = pc.round(pc.multiply(array.cast(pa.float64()), 100)).cast(pa.int64())
        return pc.equal(pc.subtract(cents, pc.multiply(pc.divide(cents, 100), 100)), 99)
    if pa.types.is_integer(array.type):
        whole = array.cast(pa.int64())
        step, rest = form.others.step, form.others.origin % form.others.step
        assert step in (7, 100, 3600)
        return pa.array(whole.to_numpy() % step == rest)
    shown = pc.local_timestamp(array) if pa.types.is_timestamp(array.type) and array.type.tz else array
    is_workday = pc.less(pc.day_of_week(shown), 5)
    if not pa.types.is_timestamp(array.type):
        return is_workday
    hours = set(pc.hour(shown).to_pylist()) - {23}
    is_open = pc.and_(pc.greater_equal(pc.hour(shown), 9), pc.less(pc.hour(shown), 17))
    is_midnight = pc.equal(pc.floor_temporal(shown, unit="day"), shown)
    return pc.and_(is_workday, is_midnight if hours == {0} else is_open)


def test_all_others_keep_to_their_grid_and_markers_to_their_shares(form, array):
    rows = drawn(form, array)

    assert rows.type == array.type
    markers = arrow.of_values(form.markers, array.type)
    for marker in markers:
        share, made = (float(pc.mean(pc.equal(part, marker)).as_py()) for part in (array, rows))
        assert abs(made - share) < 5 * (share / 5000) ** 0.5
    is_marker = np.isin(np.array(arrow.values_of(rows)), np.array(form.markers))
    others = rows.filter(pa.array(~is_marker))
    assert pc.all(keeps(form, others)).as_py()
    assert len(set(others.to_pylist())) > 20


def test_every_value_comes_back_as_it_was(form, array):
    is_marker = np.isin(np.array(arrow.values_of(array)), np.array(form.markers))
    inside = array.filter(pa.array(is_marker | form.inside(array, *form.others.ends)))

    numbers = form.forward(inside)

    assert form.back(numbers).equals(inside)
    assert (np.diff(numbers[np.argsort(np.array(arrow.values_of(inside)), kind="stable")]) >= 0).all()


def test_what_is_asked_for_is_what_comes(form, array):
    values = np.array(arrow.values_of(array))
    chance = np.random.default_rng(2)
    picked = np.sort(chance.choice(np.unique(values), (40, 2)), axis=1)
    ends = [*picked.tolist(), *([marker, marker] for marker in form.markers)]
    ends += [[low, marker] for low, marker in zip(picked[:, 0].tolist(), form.markers, strict=False) if low <= marker]
    for low, high in ends:
        low, high = (end if isinstance(end, int) else float(end) for end in (low, high))
        first, last = form.between(low, high)
        if first > last:
            continue
        numbers = chance.uniform(form.lower, form.upper, 300)
        bounds = np.full(300, first), np.full(300, last)
        outer = form.cells(*bounds)
        for made in (
            form.back(numbers, *bounds),
            form.back(chance.uniform(outer[0], np.nextafter(outer[1], -np.inf)), *bounds),
        ):
            assert form.inside(made, low, high).all()
        if low == high and low in form.markers:
            assert set(form.back(numbers, *bounds).to_pylist()) == {arrow.of_values([low], array.type)[0].as_py()}


def test_is_the_same_from_a_file(form):
    assert MarkedForm.model_validate_json(form.model_dump_json()).model_dump() == form.model_dump()


@pytest.mark.parametrize(
    "touched",
    [
        {"markers": []},
        {"markers": [5, 5]},
        {"markers": [2**70]},
        {"markers": ["x"]},
        {"markers": ["1e12000000"]},  # which it would take long to write out
        {"markers": [0.5]},
        {"markers": [True]},
    ],
)
def test_touched_markers_are_refused(touched):
    sound = learn_form(MARKED["hours"], K).model_dump(mode="json")

    with pytest.raises((ValueError, OverflowError)):
        MarkedForm.model_validate_json(json.dumps(sound | touched))


@pytest.mark.parametrize(
    "values",
    [
        beside(RNG.integers(0, 3000, ROWS), -1),
        beside(PRICES, *(0.5 + np.arange(4))),
        np.append(RNG.integers(0, 3000, ROWS) * 7, [5, 5, 5, 5]),
        RNG.choice([0, 5, 10, 15, 20, 3], ROWS),
        RNG.permutation(np.append(np.repeat(np.arange(19) * 10, 100), [7] * 100)),
    ],
    ids=["on no grid", "too many of them", "of fewer than k rows", "a handful of numbers", "hardly more"],
)
def test_there_are_none(values):
    assert not isinstance(learn_form(pa.array(values), K), MarkedForm)


def test_what_is_next_to_a_marker_but_for_a_digit_is_nothing_that_is_kept():
    noise = 0.1 + 0.2
    prices = beside(PRICES, 0.3)
    prices[np.flatnonzero(prices == 0.3)[:3]] = noise

    form = learn_form(pa.array(prices), K)

    assert form.markers == (0.3,)
    assert str(noise) not in form.model_dump_json()


def test_a_marker_is_none_of_the_digits_that_one_row_has():
    own = Decimal("1.00000000000000000077")
    ones = [own, *[Decimal(1)] * 399]
    prices = pa.array([*ones, *(Decimal(dollars) + Decimal("0.99") for dollars in range(10, 2610))])

    form = learn_form(prices.cast(pa.decimal128(38, 20)), K)

    assert form.markers == (1.0,)
    assert form.back(form.forward(pa.array(ones, pa.decimal128(38, 20)))).to_pylist() == [Decimal(1)] * 400


@pytest.mark.parametrize("type_", [pa.float64(), pa.float32(), pa.float16(), pa.decimal128(9, 2), pa.decimal32(9, 2)])
def test_a_marker_with_more_decimals_than_the_others_can_be_asked_for(type_):
    values = beside(RNG.integers(10, 900, ROWS) * 2.0, 0.5)
    array = money(values, type_) if pa.types.is_decimal(type_) else pa.array(values).cast(type_)
    form = learn_form(array, K)
    (place,) = set(form.forward(array.filter(pa.array(values == 0.5))).tolist())

    assert isinstance(form, MarkedForm)
    for low, high in ((0.5, 0.5), (0.2, 0.7), (None, 0.9)):
        assert form.between(low, high) == (place, place)
    assert form.between(0.2, 40)[0] == place
    assert form.between(0.6, 40)[0] > place
    assert form.inside(array, 0.2, 0.7).sum() == (values == 0.5).sum()


def test_of_an_hour_that_clocks_show_twice_each_is_told_by_its_own_rows():
    markers = pa.array([1_477_789_200 + 1800] * 50 + [1_477_789_200 - 1800] * 2, pa.timestamp("s", "Europe/Berlin"))
    assert pc.count_distinct(pc.local_timestamp(markers)).as_py() == 1

    form = learn_form(pa.concat_arrays([in_zone(MIDNIGHTS), markers]), K)

    assert form.markers == (1_477_789_200 + 1800,)


def test_a_far_day_alone_makes_no_marker_of_days_without_a_calendar():
    days = beside(RNG.choice(DAYS, ROWS), LAST_DAY)

    assert learn_form(pa.array(days), K).form == "integer"


def test_the_first_of_each_month_of_centuries_stays_that():
    months = RNG.choice(np.arange("1700-01", "2025-01", dtype="datetime64[M]"), ROWS).astype("M8[D]")
    form = learn_form(pa.array(months), K)

    rows = form.back(Marginal.learn(form.forward(pa.array(months)), K).back(RNG.standard_normal(2000)))

    assert set(pc.day(rows).to_pylist()) == {1}


@pytest.mark.parametrize("model_type", [ModelType.GAUSSIAN_COPULA, ModelType.TVAE, ModelType.COPULAGAN])
def test_a_model_draws_markers_by_condition_and_fills_gaps_with_others(model_type):
    table = pa.table({"until": MARKED["last day"], "price": MARKED["decimals"], "x": RNG.standard_normal(ROWS)})
    options = {} if model_type is ModelType.GAUSSIAN_COPULA else {"epochs": 1}
    model = create(model_type, {"seed": 1, "refine": True, **options}).fit(table)

    open_, ended, free = (
        model.sample(200, seed=2, conditions=conditions)
        for conditions in (
            {"until": "9999-12-31"},
            {"until": {"max": "9000-01-01"}, "price": {"min": 0.5}},
            {"price": 0, "until": ["9999-12-31", "2015-03-02"]},
        )
    )
    filled = model.impute(table.set_column(0, "until", pa.nulls(ROWS, pa.date32())))

    assert set(open_["until"].to_pylist()) == {dt.date(9999, 12, 31)}
    assert {day.weekday() < 5 for day in ended["until"].to_pylist()} == {True}
    assert {str(price)[-2:] for price in ended["price"].to_pylist()} == {"99"}
    assert set(free["price"].to_pylist()) == {Decimal("0.00")}
    assert set(free["until"].to_pylist()) <= {dt.date(9999, 12, 31), dt.date(2015, 3, 2)}
    made = filled["until"].to_pylist()
    assert dt.date(9999, 12, 31) in made
    assert {day.weekday() < 5 for day in made if day.year < 9999} == {True}
