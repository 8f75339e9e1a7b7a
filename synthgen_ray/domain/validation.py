"""Pydantic's findings in the words of our errors: a code, a field, a sentence, never the input."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from synthgen_ray.domain.errors import LONGEST_NAME, FieldError, InvalidRequest
from synthgen_ray.domain.params import MAX_ANY_OF, TRAIN_PARAMS, CTGANParams, ModelType, TrainParams

_CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "enum": "unknown_value",
    "literal_error": "unknown_value",
    "uuid_parsing": "invalid_id",
    "uuid_type": "invalid_id",
    "finite_number": "out_of_range",
    "json_invalid": "invalid_json",
    "string_pattern_mismatch": "invalid_value",
    "model_attributes_type": "object_expected",
    "model_type": "object_expected",
    "dict_type": "object_expected",
}
_OUT_OF_RANGE = ("greater_than", "less_than", "too_short", "too_long", "string_too_short", "string_too_long")
# A value outside a closed list is named after its field: unknown_model_type, unknown_status, ...
_NAMED_AFTER_FIELD = frozenset({"model_type", "status", "format"})
MOST_ADVISED = 20  # fields that are not known: to look for what was meant takes its time
_FREE_FORM = {
    "conditions": f"must be a value, null, a list of {MAX_ANY_OF:,} values at most, or {{min, max}}",
    "distribution": "must map the values of one column to shares between 0 and 1",
}


def parse_train_params(model_type: ModelType, config: Mapping[str, Any]) -> TrainParams:
    """The checked hyperparameters of a model type.

    Raises: InvalidRequest, with one entry for each option at fault.
    """
    kind = TRAIN_PARAMS[model_type]
    try:
        return kind.model_validate(config)
    except ValidationError as error:
        raise invalid_request(error.errors(), "config", known=tuple(kind.model_fields)) from None


def check_workers(params: TrainParams, num_workers: int) -> None:
    """Raises: InvalidRequest, for more workers than a batch has packs to share out."""
    if not isinstance(params, CTGANParams):
        return
    packs = params.batch_size // params.pac
    if num_workers > packs:
        fault = FieldError("resources.num_workers", f"a batch of {packs} packs is too small for {num_workers} workers")
        raise InvalidRequest(str(fault), "out_of_range", [fault])


def invalid_request(findings: Sequence[ErrorDetails], *prefix: str, known: Sequence[str] = ()) -> InvalidRequest:
    """One error that names each field once. `prefix` is where the checked value stands in the request, `known` the
    fields that it may have."""
    faults: dict[str, tuple[str, FieldError]] = {}
    for number, finding in enumerate(findings):
        location = _location(finding, prefix)
        advice = _advice(finding, location, known) if number < MOST_ADVISED else ""
        error = FieldError.at(location, _message(finding, location) + advice)
        faults.setdefault(".".join(location), (_code(finding, location), error))
    (code, first), *_ = faults.values()
    return InvalidRequest(str(first), code, [error for _, error in faults.values()])


def _location(finding: ErrorDetails, prefix: Sequence[str]) -> list[str]:
    location = [*prefix, *map(str, finding["loc"])]
    # Behind these stand the branches of a union, which mean nothing to the caller.
    return location[:2] if location and location[0] in _FREE_FORM else location


def _code(finding: ErrorDetails, location: Sequence[str]) -> str:
    kind = finding["type"]
    if kind in ("enum", "literal_error") and location[-1] in _NAMED_AFTER_FIELD:
        return f"unknown_{location[-1]}"
    if kind == "extra_forbidden" and location[0] == "config":
        return "unknown_config_key"
    if kind == "too_long" and location == ["conditions"]:
        return "too_many_conditions"
    if kind in _CODES:
        return _CODES[kind]
    if kind.startswith(_OUT_OF_RANGE):
        return "out_of_range"
    if kind.endswith(("_type", "_parsing", "_from_float")):
        return "invalid_type"
    return kind


def _message(finding: ErrorDetails, location: Sequence[str]) -> str:
    if location and location[0] in _FREE_FORM:
        if len(location) > 1:
            return _FREE_FORM[location[0]]
        if most := finding.get("ctx", {}).get("max_length"):
            return f"may name {most} column{'s' * (most > 1)} at most"
        return "must be an object"
    if _CODES.get(finding["type"]) == "object_expected":
        return "must be an object"  # pydantic names the class that it would make
    text = {
        "missing": "is required",
        "extra_forbidden": "is not known here",
        "uuid_parsing": "must be a UUID",
        "json_invalid": "is not valid JSON",
    }.get(finding["type"], finding["msg"])
    return text[:1].lower() + text[1:]


def _advice(finding: ErrorDetails, location: Sequence[str], known: Sequence[str]) -> str:
    """Which field may have been meant instead of one that there is not, or else all that there are."""
    if finding["type"] != "extra_forbidden" or not known:
        return ""
    close = get_close_matches(location[-1][:LONGEST_NAME], known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
