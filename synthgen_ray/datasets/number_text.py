"""Numbers as people write them: with separators of thousands, currencies, percent, brackets, signs of their own."""

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_CURRENCY = (
    r"[A-Z]{0,2}\p{Sc}|USD|EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|RUB|TRY|SGD|HKD|KRW"
)
_SIGN = r"[+\-\x{2212}]"
_SPACE = r"[ \x{a0}\x{202f}]"
_APOSTROPHE = r"['\x{2019}]"
_PARTS = (
    rf"(?P<open>\(?)(?P<sign>{_SIGN}?){_SPACE}?(?P<before>(?:{_CURRENCY})?){_SPACE}?(?P<second>{_SIGN}?)"
    rf"(?P<digits>[.,]?[0-9](?:[0-9.,]|{_APOSTROPHE}|{_SPACE}[0-9])*)"
    rf"{_SPACE}?(?P<after>(?:{_CURRENCY})?){_SPACE}?(?P<percent>%?)(?P<last>-?)(?P<close>\)?)"
)
NUMBER = re.sub(r"\?P<\w+>", "?:", _PARTS)  # what a cell must look like to be tried
# What stands between thousands and before decimals: a column has the first pair that all its cells fit.
_NOTATIONS = ((",", r"\."), (_APOSTROPHE, r"\."), (_SPACE, r"\."), (_SPACE, ","), (r"\.", ","))
_FEW_DECIMALS = r"[.,][0-9]{1,6}$"  # `+1.2125551234` is a telephone


class NotNumbers(Exception):
    """Why a column whose cells look like numbers stays text, in words where its owner should know."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PlainNumbers:
    texts: pa.ChunkedArray  # digits, a point, a minus
    are_whole: bool
    warning: str  # what is beside the digits


@dataclass(frozen=True)
class _Notation:
    between: str
    before_decimals: str
    has_groups: bool
    has_decimals: bool


def plain_numbers(
    name: str, cells: pa.ChunkedArray, *, declared: bool = False, decimal_comma: bool = False
) -> PlainNumbers:
    """The numbers that all cells of the pattern `NUMBER` are, bare.

    What may be codes is numbers where that is `declared` only: telephones, pairs with a comma, notes in brackets. With
    `decimal_comma` a comma is none between thousands unless a decimal point says so.

    Raises: NotNumbers.
    """
    parts = pa.Table.from_batches([_parts(chunk) for chunk in cells.chunks])
    digits, minus, num_signs = parts["digits"], parts["minus"], parts["num_signs"]
    units = set(parts["unit"].unique().drop_null().to_pylist()) - {""}
    has_percent = _any(parts["percent"])
    notation = _notation(digits, zeros=declared)
    if len(units) > 1:
        raise NotNumbers("holds amounts in several currencies")
    if has_percent and not _all(parts["percent"]):
        raise NotNumbers("holds percentages beside other numbers")
    if notation is None or digits.null_count > cells.null_count or _any(pc.greater(num_signs, 1)):
        raise NotNumbers("holds numbers in several notations" if units or has_percent else "")
    has_comma = notation.before_decimals == "," and notation.has_decimals
    if decimal_comma and notation.between == "," and notation.has_groups and not notation.has_decimals:
        raise NotNumbers
    if not declared:
        if has_comma and not (notation.has_groups or units or has_percent):
            raise NotNumbers("may hold decimal commas, which --kind float reads")
        _refuse_codes(parts, notation)
    texts = pc.replace_substring_regex(digits, notation.between, "") if notation.has_groups else digits
    texts = pc.replace_substring(texts, ",", ".") if has_comma else texts
    texts = pc.binary_join_element_wise(pc.if_else(minus, "-", ""), texts, "")
    beside = {
        "separators of thousands": notation.has_groups,
        "decimal commas": has_comma,
        "a currency": bool(units),
        "percent signs": has_percent,
        "plus signs": _any(parts["plus"]),
        "brackets for negative numbers": _any(parts["in_brackets"]),
        "signs behind numbers": _any(parts["behind"]),
    }
    how = " and ".join(words for words, is_so in beside.items() if is_so) or "signs of their own"
    warning = (
        f"number_format: column '{name}' was written with {how}; it is read as numbers and comes out without them,"
        " unless its upload declares it as text or categorical."
    )
    return PlainNumbers(texts, not notation.has_decimals, warning)


def _parts(cells: pa.Array) -> pa.RecordBatch:
    """The digits of each cell, and what is about them, in little room. A bracket alone counts as two signs."""
    found = pc.extract_regex(cells, f"^{_PARTS}$")
    part = {field.name: pc.struct_field(found, [place]) for place, field in enumerate(found.type)}
    signs = pc.binary_join_element_wise(part["sign"], part["second"], part["last"], "")
    opened, closed = pc.equal(part["open"], "("), pc.equal(part["close"], ")")
    brackets = pc.if_else(pc.equal(opened, closed), pc.cast(opened, pa.int8()), 2)
    columns = {
        "digits": part["digits"],
        "unit": pc.binary_join_element_wise(part["before"], part["after"], "").dictionary_encode(),
        "percent": pc.equal(part["percent"], "%"),
        "num_signs": pc.cast(pc.add(pc.utf8_length(signs), brackets), pa.int8()),
        "plus": pc.match_substring(signs, "+"),
        "minus": pc.or_(opened, pc.match_substring_regex(signs, r"[-\x{2212}]")),
        "in_brackets": opened,
        "behind": pc.not_equal(part["last"], ""),
    }
    return pa.RecordBatch.from_pydict(columns)


def _notation(digits: pa.ChunkedArray, zeros: bool) -> _Notation | None:
    whole = "[0-9]+" if zeros else "(?:0|[1-9][0-9]*)"
    for between, decimal in _NOTATIONS:
        pattern = rf"^(?:(?:{whole}|[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})+)(?:{decimal}[0-9]*)?|{decimal}[0-9]+)$"
        if _all(pc.match_substring_regex(digits, pattern)):
            has_groups = _any(pc.match_substring_regex(digits, between))
            return _Notation(between, decimal, has_groups, _any(pc.match_substring_regex(digits, decimal)))
    return None


def _refuse_codes(parts: pa.Table, notation: _Notation) -> None:
    """Raises: NotNumbers, for what looks like telephones, addresses of machines or notes."""
    digits = parts["digits"]
    lengths = pc.min_max(pc.utf8_length(digits)).as_py()
    if notation.has_groups and not notation.has_decimals:
        if notation.between == r"\.":  # 192.168.100.200
            raise NotNumbers
        if notation.between == _SPACE and lengths["min"] == lengths["max"]:  # 601 234 567
            raise NotNumbers
    with_plus = digits.filter(parts["plus"])
    if not _any(parts["minus"]) and not _all(pc.match_substring_regex(with_plus, _FEW_DECIMALS)):
        raise NotNumbers
    if not notation.has_decimals and (_all(parts["in_brackets"]) or _all(parts["behind"])):
        raise NotNumbers


def _any(truths: pa.ChunkedArray) -> bool:
    return bool(pc.any(truths, min_count=0).as_py())


def _all(truths: pa.ChunkedArray) -> bool:
    return bool(pc.all(truths, min_count=0).as_py())
