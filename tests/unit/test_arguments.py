from pathlib import Path

import pytest
import typer

from synthgen_ray.commands.arguments import parse_conditions, parse_config, parse_schema, parse_shares
from synthgen_ray.commands.options import in_a_folder


@pytest.mark.parametrize(
    ("word", "condition"),
    [
        ("origin=JFK", "JFK"),
        ("income=>50K", ">50K"),
        ("age=30", 30),
        ("share=0.5", 0.5),
        ("active=true", True),
        ('zip="0815"', "0815"),
        ("zip=0815", "0815"),
        ("balance=", None),
        ("balance=null", None),
        ('note=""', ""),
        ("note=NaN", "NaN"),
        ("age=1e999", "1e999"),
        ("age=30..40", {"min": 30, "max": 40}),
        ("age=-5..-1.5", {"min": -5, "max": -1.5}),
        ("age=30..", {"min": 30}),
        ("age=..40", {"max": 40}),
        ("age=9:00..17:30", {"min": "9:00", "max": "17:30"}),
        ("opened=2020-01-01..2020-12-31", {"min": "2020-01-01", "max": "2020-12-31"}),
        ("note=well..no", "well..no"),
        ("note=..", ".."),
        (" age=30", 30),  # as columns are called after `name, age`
        ("income= >50K", " >50K"),
        ('income=[">50K", null]', [">50K", None]),
        ('age={"min": 1}', {"min": 1}),
    ],
)
def test_a_word_becomes_the_condition(word, condition):
    column = word.partition("=")[0]

    assert parse_conditions([word]) == {column: condition}


@pytest.mark.parametrize(
    ("word", "column", "value"),
    [
        ('"a=b"=3', "a=b", 3),
        ('"a=b"="c=d"', "a=b", "c=d"),
        (r'"\"a\"=b"=', '"a"=b', None),
        ('"age=3', '"age', 3),
        ('"a" b=3', '"a" b', 3),
    ],
)
def test_a_column_with_an_equals_sign_in_its_name_stands_in_quotes(word, column, value):
    assert parse_conditions([word]) == {column: value}


def test_a_repeated_column_means_any_of_the_values():
    words = ["origin=JFK", "month=1", "origin=", 'origin=["LGA", "EWR"]']

    assert parse_conditions(words) == {"origin": ["JFK", None, "LGA", "EWR"], "month": 1}


def test_a_range_is_no_value_among_others():
    with pytest.raises(typer.BadParameter, match="range"):
        parse_conditions(["age=1..2", "age=5"])


@pytest.mark.parametrize("word", ["origin", "=JFK", ""])
def test_a_word_without_a_column_is_misuse(word):
    with pytest.raises(typer.BadParameter, match="NAME=VALUE"):
        parse_conditions([word])


def test_hyperparameters_are_json_or_text():
    words = ["epochs=10", "generator_dim=[64, 64]", "log_frequency=false", "mode=fast", "epochs=20"]

    assert parse_config(words) == {"epochs": 20, "generator_dim": [64, 64], "log_frequency": False, "mode": "fast"}


def test_shares_are_those_of_one_column():
    assert parse_shares('income={">50K": 0.5, "<=50K": 0.5}') == {"income": {">50K": 0.5, "<=50K": 0.5}}
    assert parse_shares(None) is None


@pytest.mark.parametrize("word", ["income", "income=0.5", "income=[1]"])
def test_other_shares_are_misuse(word):
    with pytest.raises(typer.BadParameter):
        parse_shares(word)


def test_what_columns_are_is_kind_format_and_key():
    words = (["zip=text", "born=datetime"], ["born=%d/%m/%Y"], "account")

    assert parse_schema(*words) == {
        "columns": {"zip": {"kind": "text"}, "born": {"kind": "datetime", "format": "%d/%m/%Y"}},
        "primary_key": "account",
    }
    assert parse_schema([], [], "account") == {"primary_key": "account"}
    assert parse_schema([], [], None) is None


@pytest.mark.parametrize(("kinds", "formats"), [(["zip=words"], []), (["zip"], []), ([], ["born=%Y"])])
def test_no_known_kind_and_a_format_without_one_are_misuse(kinds, formats):
    with pytest.raises(typer.BadParameter):
        parse_schema(kinds, formats, None)


def test_what_is_no_file_is_not_written_to(tmp_path):
    assert in_a_folder(tmp_path / "rows.csv") == tmp_path / "rows.csv"

    for file, why in ((tmp_path / "none" / "rows.csv", "There is no folder"), (Path("/dev/null"), "is no file")):
        with pytest.raises(typer.BadParameter, match=why):
            in_a_folder(file)
