"""What is valid passes as Python's parser reads it; what parsers disagree on is refused by name."""

import json
import random
from typing import Any

import pytest

from synthgen_ray.api.request_limits import RequestLimits
from synthgen_ray.api.strict_json import check_json
from synthgen_ray.domain.errors import InvalidRequest, Unreadable

LIMITS = RequestLimits()
TEXTS = ["", "a", "é", "𝄞", '"', "\\", "\\u", "\n", "\x7f", "{", "[[[", "]}", "null", "ключ"]
NUMBERS = [0, -1, 2**53 + 1, 10**300, -0.0, 1e-320, 1.7976931348623157e308, 0.1]


def a_value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(7 if depth < 6 else 5)
    if kind == 5:
        return [a_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 6:
        return {f"{chance.choice(TEXTS)}{i}": a_value(chance, depth + 1) for i in range(chance.randrange(4))}
    return [None, True, False, chance.choice(NUMBERS), chance.choice(TEXTS)][kind]


@pytest.mark.parametrize("seed", range(300))
def test_whatever_python_writes_passes(seed):
    chance = random.Random(seed)
    value = a_value(chance)

    for ascii_only in (True, False):
        written = json.dumps(value, ensure_ascii=ascii_only, indent=chance.choice([None, 2]))
        check_json(written.encode(), LIMITS)


@pytest.mark.parametrize("seed", range(300))
def test_whatever_passes_is_read_by_python_too(seed):
    chance = random.Random(seed)
    body = bytearray(json.dumps(a_value(chance)).encode())
    for _ in range(chance.randrange(1, 4)):
        body[chance.randrange(len(body))] = chance.choice(b'"\\{}[],:0e-.u \x00\xff')

    try:
        check_json(bytes(body), LIMITS)
    except Unreadable:
        return
    json.loads(body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "invalid_json"),
        (b'{"a": 1}{}', "invalid_json"),
        (b"[1,]", "invalid_json"),
        (b"{'a': 1}", "invalid_json"),
        (b"// a\n{}", "invalid_json"),
        (b"01", "invalid_json"),
        (b'"a\nb"', "invalid_json"),
        (b'"unfinished' + b'\\"' * 500_000, "invalid_json"),
        (b"   ", "invalid_json"),
        (b"NaN", "invalid_json"),
        (b'{"a": -Infinity}', "invalid_json"),
        (b"1e400", "invalid_json"),
        (b"-1e400", "invalid_json"),
        (b"1" * 310, "invalid_json"),
        (b"1" * 5000, "invalid_json"),
        (b"0." + b"1" * 1_000_000, "invalid_json"),
        (b"\xef\xbb\xbf{}", "invalid_encoding"),
        ("{}".encode("utf-16"), "invalid_encoding"),
        ("{}".encode("utf-16-le"), "invalid_json"),
        (b'"\xff"', "invalid_encoding"),
        (b'"\xed\xa0\x80"', "invalid_encoding"),
        (b'"\\ud800"', "invalid_unicode"),
        (b'{"a": [{"\\uDC00": 1}]}', "invalid_unicode"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "duplicate_key"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 1000, "too_deep"),
        (json.dumps({str(i): 0 for i in range(1001)}).encode(), "too_many_keys"),
        (json.dumps([{"a": 0}] * 1001).encode(), "too_many_keys"),
    ],
    ids=lambda part: part[:24] if isinstance(part, bytes) else part,
)
def test_what_is_refused_has_a_code_and_is_not_repeated(body, code):
    with pytest.raises(Unreadable) as refused:
        check_json(body, LIMITS)

    assert refused.value.code == code
    assert "unfinished" not in refused.value.detail


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 32 + b"]" * 32,
        b'{"deep": "' + b"[" * 100 + b'\\"[["}',
        json.dumps({str(i): 0 for i in range(1000)}).encode(),
        b'"\\ud834\\udd1e"',
        b'"\\\\ud800"',
        b'"\\\\u0000"',
        b'"\\u0001"',
        b" \t\r\n{}\n",
        b"1" * 308,
    ],
    ids=lambda body: body[:24],
)
def test_what_is_just_within_the_limits_passes(body):
    check_json(body, LIMITS)


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'"a\\u0000b"', ""), (b'{"a": [1, {"\\u0000": 1}]}', "a.1"), (b'{"a": {"b": "\\u0000"}}', "a.b")],
)
def test_a_nul_is_valid_json_that_no_value_may_hold(body, field):
    with pytest.raises(InvalidRequest) as refused:
        check_json(body, LIMITS)

    assert refused.value.code == "invalid_value"
    assert [error.field for error in refused.value.errors] == [field]
