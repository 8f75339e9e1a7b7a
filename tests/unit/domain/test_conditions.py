from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.conditions import check_conditions
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.params import GenerateParams

COLUMNS = (
    LearnedColumn("id", ColumnKind.ID, nullable=False),
    LearnedColumn("age", ColumnKind.INTEGER, nullable=False, minimum=18, maximum=80),
    LearnedColumn("balance", ColumnKind.FLOAT, nullable=True, minimum=0.0, maximum=99.5),
    LearnedColumn("income", ColumnKind.CATEGORICAL, nullable=False, categories=("<=50K", ">50K")),
    LearnedColumn("grade", ColumnKind.CATEGORICAL, nullable=True, categories=(1, 2, 3)),
    LearnedColumn("size", ColumnKind.CATEGORICAL, nullable=False, categories=(1.0, 2.5)),
    LearnedColumn("active", ColumnKind.BOOLEAN, nullable=False, categories=(False, True)),
    LearnedColumn("opened", ColumnKind.DATETIME, nullable=False, minimum="2010-01-01", maximum="2024-12-28"),
    LearnedColumn("year", ColumnKind.CONSTANT, nullable=False, categories=(2013,)),
    LearnedColumn("as_of", ColumnKind.CONSTANT, nullable=False, categories=("2020-01-01T00:00:00",)),
    LearnedColumn("source", ColumnKind.CONSTANT, nullable=False, categories=("web",)),
    LearnedColumn("empty", ColumnKind.CONSTANT, nullable=True, categories=()),
)


def check(conditions: dict, distribution: dict | None = None) -> None:
    params = GenerateParams.model_validate({"conditions": conditions, "distribution": distribution or {}})
    check_conditions(params.conditions, params.distribution, COLUMNS)


@pytest.mark.parametrize(
    "conditions",
    [
        {"age": 30},
        {"age": 30.0},
        {"age": {"min": 30}},
        {"balance": None},
        {"balance": [1, 2.5, None]},
        {"income": ">50K"},
        {"income": [">50K", "<=50K"]},
        {"grade": 2},
        {"grade": 2.0},
        {"grade": None},
        {"size": [1, 2.5]},
        {"active": True},
        {"opened": "2020-02-29"},
        {"opened": {"min": "2020-01-01T00:00:00Z", "max": "2021-01-01"}},
        {"age": {"min": 20, "max": 20}, "income": ">50K"},
        {"year": [2013.0, 2013]},
        {"year": {"min": 2010}},
        {"as_of": "2020-01-01"},
        {"as_of": {"min": "2019-12-31", "max": "2020-01-01T00:00:00Z"}},
        {"source": "web"},
        {"empty": None},
    ],
)
def test_what_the_model_knows_may_be_asked_for(conditions):
    check(conditions)


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ({"nope": 1}, "unknown_column"),
        ({"id": 1}, "unconditional_column"),
        ({"age": "thirty"}, "invalid_type"),
        ({"age": 30.5}, "invalid_type"),
        ({"age": True}, "invalid_type"),
        ({"age": None}, "not_nullable"),
        ({"age": [30, None]}, "not_nullable"),
        ({"age": {"min": 40, "max": 30}}, "out_of_range"),
        ({"age": {"min": "a"}}, "invalid_type"),
        ({"income": {"min": 1}}, "invalid_type"),
        ({"income": "rich"}, "unknown_value"),
        ({"grade": 4}, "unknown_value"),
        ({"grade": True}, "invalid_type"),
        ({"grade": "2"}, "invalid_type"),
        ({"size": 2}, "unknown_value"),
        ({"size": True}, "invalid_type"),
        ({"size": [1, True]}, "invalid_type"),
        ({"size": [2.5, 2, 1]}, "unknown_value"),
        ({"active": 1}, "invalid_type"),
        ({"opened": "yesterday"}, "invalid_type"),
        ({"opened": 2020}, "invalid_type"),
        ({"year": 2014}, "unknown_value"),
        ({"year": {"max": 2012}}, "unknown_value"),
        ({"year": {"min": "2010"}}, "invalid_type"),
        ({"year": {"min": 2014, "max": 2013}}, "out_of_range"),
        ({"as_of": "2020-01-02"}, "unknown_value"),
        ({"as_of": {"min": "2020-01-01T00:00:01"}}, "unknown_value"),
        ({"as_of": None}, "not_nullable"),
        ({"source": {"min": "a"}}, "invalid_type"),
        ({"source": "shop"}, "unknown_value"),
        ({"empty": {"min": 1}}, "invalid_type"),
    ],
)
def test_what_it_does_not_know_is_refused(conditions, code):
    with pytest.raises(InvalidRequest) as refusal:
        check(conditions)

    assert refusal.value.code == code
    assert refusal.value.errors[0].field == f"conditions.{next(iter(conditions))}"


class Categories(tuple[str, ...]):
    """That count how many of them are looked at."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        for category in super().__iter__():
            self.looks += 1
            yield category


@pytest.mark.parametrize("different", [1, 1000])
def test_each_category_is_looked_at_once_however_many_values_are_asked_for(different):
    categories = Categories(f"{number}" for number in range(20_000))
    asked = [f"{19_999 - number % different}" for number in range(1000)]

    check_conditions({"x": asked}, {}, [LearnedColumn("x", ColumnKind.CATEGORICAL, False, categories)])

    assert categories.looks <= 20_000 + different


def test_the_values_of_all_conditions_are_limited():
    conditions = {f"x{column}": list(range(1000)) for column in range(10)}
    GenerateParams.model_validate({"conditions": conditions})

    with pytest.raises(ValidationError, match="all conditions together may list 10,000 values"):
        GenerateParams.model_validate({"conditions": {**conditions, "one": [1]}})


def test_a_refusal_lists_no_values():
    with pytest.raises(InvalidRequest) as refusal:
        check({"income": "rich"})

    assert "50K" not in repr(refusal.value.args)
    assert "rich" not in repr(refusal.value.args)


def test_a_distribution_is_over_known_values_of_a_column_of_categories():
    check({}, {"income": {">50K": 0.5, "<=50K": 0.5}})
    check({}, {"active": {"true": 0.2, "false": 0.8}})
    check({"opened": {"min": "2024-01-10T00:00", "max": "2024-01-09T23:00Z"}}, {})  # in Auckland that is a day later
    check({}, {"active": {"True": 0.2, "False": 0.8}})
    check({}, {"grade": {"1": 1}})
    check({}, {"size": {"1": 0.5, "2.5": 0.5}})
    check({}, {"size": {"1.0": 1}})
    for distribution, code in (
        ({"income": {"rich": 1}}, "unknown_value"),
        ({"grade": {"1.0": 1}}, "unknown_value"),
        ({"age": {"30": 1}}, "invalid_type"),
    ):
        with pytest.raises(InvalidRequest) as refusal:
            check({}, distribution)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("conditions", "wanted"),
    [
        ({"age": "thirty"}, "The value must be an integer."),
        ({"balance": {"min": "low"}}, "Each bound must be a number."),
        ({"income": 50}, "The value must be text."),
        ({"grade": "2"}, "The value must be a number."),
        ({"active": "Yes"}, "The value must be true or false."),
        ({"opened": "31/01/2024"}, "The value must be a date such as 2024-01-31 or"),
    ],
)
def test_a_value_of_another_type_is_told_what_would_fit(conditions, wanted):
    with pytest.raises(InvalidRequest, match=wanted):
        check(conditions)
