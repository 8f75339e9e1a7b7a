"""Dates and times as text, in the format in which they came."""

import re

import pyarrow as pa
import pyarrow.compute as pc

# Fractions of a second, `%f` of six digits and `%3f` of three: pyarrow writes as many as the unit has, as part of %S.
FRACTION = re.compile(r"\.%([1-57-9]?)f")
_UNITS = {0: "s", 3: "ms", 6: "us", 9: "ns"}
ISO_DATE = "%Y-%m-%d"
ISO_TIME = "%Y-%m-%dT%H:%M:%S"


def unit_digits(digits: int) -> int:
    """Of the unit that holds so many digits of a second: 0, 3, 6 or 9."""
    return -(-digits // 3) * 3


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
    if pa.types.is_timestamp(moments.type):
        fraction = FRACTION.search(written)
        digits = int(fraction[1] or 6) if fraction else 0
        moments = moments.cast(pa.timestamp(_UNITS[unit_digits(digits)]), safe=False)
        text = _with_date(moments, FRACTION.sub("", written))
        if digits == unit_digits(digits):
            return text
        return pc.replace_substring_regex(text, rf"(:[0-9]{{2}}\.[0-9]{{{digits}}})[0-9]*", r"\1")
    return _with_date(moments, written)


def _with_date(moments: pa.Array, written: str) -> pa.Array:
    if "%-" not in written:
        return pc.strftime(moments, written)
    # pyarrow knows no unpadded days and months; they are in the date, which comes first.
    date, gap, time = re.fullmatch(r"([^T ]*)([T ]?)(.*)", written).groups()  # type: ignore[union-attr]
    padded = pc.strftime(moments, date.replace("%-", "%"))
    unpadded = pc.replace_substring_regex(padded, r"(^|[-/.])0", r"\1")
    if not time:
        return unpadded
    return pc.binary_join_element_wise(unpadded, pc.strftime(moments, time), gap)
