"""What a model and its samples are asked for with, under the rules of the REST API."""

import json
import operator
from collections.abc import Mapping
from typing import Any, SupportsIndex

from pydantic import ValidationError

from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.params import MAX_ROWS, GenerateParams
from synthgen_ray.domain.plain import plain
from synthgen_ray.domain.validation import invalid_request


def whole(number: SupportsIndex, name: str) -> int:
    """Also one of NumPy's, as a sum of a column is. Raises: InvalidRequest."""
    try:
        return operator.index(number)
    except TypeError:
        raise InvalidRequest(f"{name} must be a whole number.", "invalid_type") from None


def as_json(value: Any) -> Any:
    """What JSON would say in the place of what Python has. What it has no word for stays, to be refused by its name."""
    if isinstance(value, Mapping):
        return {_as_key(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(inner) for inner in value]
    said = plain(value)
    return value if said is value else as_json(said)


def _as_key(key: Any) -> Any:
    """A boolean or a number as JSON has it for a key: in words."""
    said = plain(key)
    return json.dumps(said) if isinstance(said, bool | int | float) else said


def asked_of_sample(
    num_rows: int,
    seed: SupportsIndex | None,
    conditions: Mapping[str, Any] | None = None,
    distribution: Mapping[str, Any] | None = None,
) -> GenerateParams:
    """The arguments under the rules of the REST API, but for the number of rows, which has no end here."""
    body = {"num_rows": min(max(num_rows, 1), MAX_ROWS), "seed": None if seed is None else whole(seed, "seed")}
    if num_rows < 0:
        raise InvalidRequest("num_rows must not be negative.", "out_of_range")
    wishes = {"conditions": as_json(conditions), "distribution": as_json(distribution)}
    try:
        return GenerateParams.model_validate(body | wishes)
    except ValidationError as error:
        raise invalid_request(error.errors()) from None
