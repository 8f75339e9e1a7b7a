"""Dates and times as text, in the format in which they came."""

import re

import pyarrow as pa
import pyarrow.compute as pc

# Fractions of a second, `%f` of six digits and `%3f` of three: pyarrow writes as many as the unit has, as part of %S.
FRACTION = re.compile(r"\.%([1-57-9]?)f")
_UNITS = {0: "s", 3: "ms", 6: "us", 9: "ns"}
_NAMES = {"s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond"}
UNPADDED = "\x01"  # stands before a number for a moment, and in no format
# Year 1 to 9999: what a Python date can hold.
MIN_DAY, MAX_DAY = -719_162, 2_932_896
UNITS_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
ISO_DATE = "%Y-%m-%d"
ISO_TIME = "%Y-%m-%dT%H:%M:%S"


def unit_digits(digits: int) -> int:
    """Of the unit that holds so many digits of a second: 0, 3, 6 or 9."""
    return -(-digits // 3) * 3


def fit_python_dates(moments: pa.Array | pa.ChunkedArray) -> bool:
    """Whether all are of the years 1 to 9999 in UTC; `moments` are timestamps, or days of 32 bits."""
    is_date = pa.types.is_date(moments.type)
    per_day = 1 if is_date else UNITS_PER_DAY[moments.type.unit]
    bounds = pc.min_max(moments.cast(pa.int32() if is_date else pa.int64())).as_py()
    low, high = MIN_DAY * per_day, (MAX_DAY + 1) * per_day
    return bounds["min"] is None or low <= bounds["min"] <= bounds["max"] < high


def datetimes_as_text(values: pa.Array, written: str | None) -> pa.Array:
    """The values in their format, or in ISO 8601 (UTC) when they have none."""
    encoded = values.dictionary_encode()  # days and timestamps repeat; formatting is slow
    moments = encoded.dictionary
    if pa.types.is_date(values.type):
        text = _formatted(moments.cast(pa.date32()), written or ISO_DATE)
    elif written:
        text = _formatted(_local(moments), written)
    else:
        text = _iso(moments)
    return text.take(encoded.indices)


def _iso(moments: pa.Array) -> pa.Array:
    zone = "Z" if moments.type.tz else ""
    utc = moments.cast(pa.timestamp(moments.type.unit))  # keeps the instant, which is in UTC
    text = pc.replace_substring_regex(pc.strftime(utc, ISO_TIME), r"(\.[0-9]*?)0+$", r"\1")
    return pc.binary_join_element_wise(pc.replace_substring_regex(text, r"\.$", ""), zone, "")


def _local(moments: pa.Array) -> pa.Array:
    return pc.local_timestamp(moments) if moments.type.tz else moments


def _formatted(moments: pa.Array, written: str) -> pa.Array:
    fraction = FRACTION.search(written)
    if not pa.types.is_timestamp(moments.type):
        return _spelt(moments, written)
    if not fraction:
        return _spelt(_cut(moments, "s"), written)
    digits = int(fraction[1] or 6)
    unit = unit_digits(digits)
    text = _spelt(_cut(moments, _UNITS[unit]), written[: fraction.start()])
    if digits < unit:
        text = pc.utf8_slice_codeunits(text, 0, digits - unit)
    rest = written[fraction.end() :]
    if not rest:
        return text
    return pc.binary_join_element_wise(text, _spelt(_cut(moments, "s"), rest), "")


def _cut(moments: pa.Array, unit: str) -> pa.Array:
    """To whole units, downwards: a cast alone cuts towards 1970."""
    return pc.floor_temporal(moments, unit=_NAMES[unit]).cast(pa.timestamp(unit), safe=False)


def _spelt(moments: pa.Array, written: str) -> pa.Array:
    """What pyarrow has no directives for: numbers without a zero in front, capitals and small letters."""
    pieces = [_cased(moments, piece) for piece in re.split(r"(%\^[bB]|%P)", written) if piece]
    return pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, "")


def _cased(moments: pa.Array, written: str) -> pa.Array:
    if written.startswith("%^"):
        return pc.utf8_upper(pc.strftime(moments, written.replace("^", "")))
    if written == "%P":
        return pc.utf8_lower(pc.strftime(moments, "%p"))
    text = pc.strftime(moments, written.replace("%-", f"{UNPADDED}%"))
    return pc.replace_substring_regex(text, f"{UNPADDED}0?", "") if "%-" in written else text
