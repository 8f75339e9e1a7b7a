"""`--where`, `--shares`, `--config` and `--kind`: from words on a command line to JSON."""

import json
import re
from collections.abc import Sequence
from math import isinf
from typing import Any

import typer

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.domain.conditions import moment_of

CONFIG_HELP = "A hyperparameter as KEY=VALUE, for example epochs=10 or 'generator_dim=[128, 128]'. Repeatable."
WHERE_HELP = (
    "What every row must have. COLUMN=VALUE; repeated for a column, any of the values. "
    "age=30..40 is a range, age=30.. and age=..40 are open ones, COLUMN= is a missing value. "
    "A VALUE is read as JSON where it is JSON, else as text: 'zip=\"0815\"' for digits that are text. "
    "A COLUMN with = in its name stands in quotes: '\"a=b\"=3'."
)
SHARES_HELP = """The shares of a column's values, for example 'income={">50K": 0.5, "<=50K": 0.5}'."""
KIND_HELP = f"What a column is where it is taken for something else: {', '.join(ColumnKind)}. Repeatable."
FORMAT_HELP = "How the values of a column with a --kind are written: '%d/%m/%Y' for a datetime, 'Yes/No' for a boolean."
_NAMED = re.compile(r'("(?:[^"\\]|\\.)*"|[^=]+)=(.*)', re.DOTALL)  # a name may stand in quotes, as JSON writes text


def parse_config(words: Sequence[str]) -> dict[str, Any]:
    """Hyperparameters from `KEY=VALUE`; the last of the same key wins."""
    return {key: _value(text) for key, text in (_split(word, "--config") for word in words)}


def parse_conditions(words: Sequence[str]) -> dict[str, Any]:
    """Conditions from `COLUMN=VALUE`, as the API takes them.

    Raises: typer.BadParameter.
    """
    asked: dict[str, list[Any]] = {}
    for word in words:
        column, text = _split(word, "--where")
        asked.setdefault(column, []).append(_condition(text))
    return {column: _any_of(column, conditions) for column, conditions in asked.items()}


def parse_shares(word: str | None) -> dict[str, dict[str, float]] | None:
    """The shares of the values of one column from `COLUMN=JSON`.

    Raises: typer.BadParameter.
    """
    if word is None:
        return None
    column, text = _split(word, "--shares")
    shares = _value(text)
    if not isinstance(shares, dict):
        raise typer.BadParameter('The shares must read like {"yes": 0.3, "no": 0.7}.', param_hint="--shares")
    return {column: shares}


def parse_schema(kinds: Sequence[str], formats: Sequence[str], primary_key: str | None) -> dict[str, Any] | None:
    """What columns are, from `COLUMN=KIND` and `COLUMN=FORMAT`, as the API takes it; `None` where nothing is said.

    Raises: typer.BadParameter.
    """
    columns = {}
    for column, kind in (_split(word, "--kind") for word in kinds):
        if kind not in set(ColumnKind):
            raise typer.BadParameter(f"A kind is one of {', '.join(ColumnKind)}.", param_hint="--kind")
        columns[column] = {"kind": kind}
    for column, written in (_split(word, "--format") for word in formats):
        if column not in columns:
            raise typer.BadParameter(f"{column}: a format goes with a --kind.", param_hint="--format")
        columns[column]["format"] = written
    schema = {"columns": columns, "primary_key": primary_key}
    return {name: value for name, value in schema.items() if value} or None


def _any_of(column: str, conditions: list[Any]) -> Any:
    if len(conditions) == 1:
        return conditions[0]
    if any(isinstance(condition, dict) for condition in conditions):
        raise typer.BadParameter(f"{column}: a range cannot be one of several values.", param_hint="--where")
    values: list[Any] = []
    for condition in conditions:
        values.extend(condition if isinstance(condition, list) else [condition])
    return values


def _split(word: str, option: str) -> tuple[str, str]:
    named = _NAMED.fullmatch(word)
    if named is None or not named[1].strip():
        raise typer.BadParameter(f"'{word}' must read NAME=VALUE.", param_hint=option)
    name, text = named.groups()
    return (str(_value(name)) if name.startswith('"') else name), text


def _condition(text: str) -> Any:
    if not text:
        return None
    low, dots, high = text.partition("..")
    if dots and (low or high) and all(_is_bound(bound) for bound in (low, high) if bound):
        return {name: _value(bound) for name, bound in (("min", low), ("max", high)) if bound}
    return _value(text)


def _is_bound(text: str) -> bool:
    """A number or a date: other text with two dots in it is no range."""
    try:
        moment_of(text)
    except ValueError:
        value = _value(text)
        return isinstance(value, int | float) and not isinstance(value, bool)
    return True


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_no_constant)
    except ValueError:
        return text


def _finite(text: str) -> float:
    if isinf(number := float(text)):  # which no JSON can tell the server
        raise ValueError(text)
    return number


def _no_constant(name: str) -> None:
    """`NaN` and `Infinity` are not JSON, whatever Python says: here they are words."""
    raise ValueError(name)
