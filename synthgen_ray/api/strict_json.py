"""JSON as RFC 8259 has it, and no more than a server should take: what Python's parser lets through
or chokes on is refused before any model sees it."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from synthgen_ray.api.request_limits import RequestLimits
from synthgen_ray.domain.errors import FieldError, InvalidRequest, Unreadable

# A string, also one that never ends, or a bracket. Possessive, so that no input makes it look twice.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def check_json(body: bytes, limits: RequestLimits) -> None:
    """Raises: Unreadable, unless any parser would read the body, and all of them alike; InvalidRequest, for a NUL."""
    _check_depth(body, limits.json_depth)
    value = _parse(_text_of(body), limits)
    if b"\\u" in body:  # the one way to write NUL, or half a surrogate pair in valid UTF-8
        _check_texts(value)


def _text_of(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\ufeff"
    if text.startswith("\ufeff"):
        raise Unreadable("A JSON body must be UTF-8 without a byte order mark.", "invalid_encoding")
    return text


def _check_depth(body: bytes, deepest: int) -> None:
    """Before the parser, which follows the nesting on its stack."""
    depth = 0
    for token in _TOKEN.finditer(body):
        bracket = token[0]
        if bracket in (b"[", b"{"):
            depth += 1
            if depth > deepest:
                raise Unreadable(f"A JSON body may be nested {deepest} levels deep.", "too_deep")
        elif bracket in (b"]", b"}"):
            depth -= 1


def _parse(text: str, limits: RequestLimits) -> Any:
    keys = 0

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal keys
        keys += len(pairs)
        if keys > limits.json_keys:
            raise Unreadable(f"A JSON body may have {limits.json_keys:,} keys in all.", "too_many_keys")
        members = dict(pairs)
        if len(members) < len(pairs):
            raise Unreadable("A key stands twice in one object of the JSON body; give it once.", "duplicate_key")
        return members

    def number(digits: str) -> float:
        # The length first: reading a number takes longer the more digits it has.
        if len(digits) > limits.json_number_chars or math.isinf(float(digits)):
            raise Unreadable("A number in the JSON body does not fit into 64 bits of floating point.", "invalid_json")
        return 0.0  # whoever reads the body parses it again

    try:
        return json.loads(
            text, object_pairs_hook=members, parse_int=number, parse_float=number, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unreadable(f"The body is not valid JSON: see {where}.", "invalid_json") from None


def _refuse_constant(_name: str) -> NoReturn:
    raise Unreadable("JSON has no NaN and no Infinity; null says that a value is missing.", "invalid_json")


def _check_texts(value: Any) -> None:
    try:
        for steps, text in _strings(value):
            text.encode()
            if "\0" in text:
                fault = FieldError.at(steps, "A text holds no NUL character.")
                raise InvalidRequest(str(fault), "invalid_value", [fault])
    except UnicodeEncodeError:
        detail = "A text in the JSON body holds half of a surrogate pair, which is no character."
        raise Unreadable(detail, "invalid_unicode") from None


def _strings(value: Any, steps: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """All texts, with the steps that lead to each; a key is at its object."""
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _strings(item, (*steps, str(place)))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield steps, name
            yield from _strings(item, (*steps, name))
