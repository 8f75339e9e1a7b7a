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
    parts = pc.extract_regex(cells, f"^{_PARTS}$")
    part = {field.name: pc.struct_field(parts, [place]) for place, field in enumerate(parts.type)}
    digits = part["digits"]
    signs = pc.binary_join_element_wise(part["sign"], part["second"], part["last"], "")
    in_brackets, are_percent = pc.equal(part["open"], "("), pc.equal(part["percent"], "%")
    units = set(pc.binary_join_element_wise(part["before"], part["after"], "").unique().drop_null().to_pylist()) - {""}
    notation = _notation(digits, zeros=declared)
    if len(units) > 1:
        raise NotNumbers("holds amounts in several currencies")
    if _any(are_percent) and not _all(are_percent):
        raise NotNumbers("holds percentages beside other numbers")
    unpaired = pc.not_equal(in_brackets, pc.equal(part["close"], ")"))
    num_signs = pc.add(pc.utf8_length(signs), pc.cast(in_brackets, pa.int32()))
    if notation is None or parts.null_count > cells.null_count or _any(unpaired) or _any(pc.greater(num_signs, 1)):
        raise NotNumbers("holds numbers in several notations" if units or _any(are_percent) else "")
    has_comma = notation.before_decimals == "," and notation.has_decimals
    if decimal_comma and notation.between == "," and notation.has_groups and not notation.has_decimals:
        raise NotNumbers
    minus = pc.match_substring_regex(signs, r"[-\x{2212}]")
    if not declared:
        if has_comma and not (notation.has_groups or units or _any(are_percent)):
            raise NotNumbers("may hold decimal commas, which --kind float reads")
        _refuse_codes(digits, notation, signs, minus, in_brackets, part["last"])
    texts = pc.replace_substring_regex(digits, notation.between, "") if notation.has_groups else digits
    texts = pc.replace_substring(texts, ",", ".") if has_comma else texts
    texts = pc.binary_join_element_wise(pc.if_else(pc.or_(minus, in_brackets), "-", ""), texts, "")
    beside = {
        "separators of thousands": notation.has_groups,
        "decimal commas": has_comma,
        "a currency": bool(units),
        "percent signs": _any(are_percent),
        "plus signs": _any(pc.match_substring(signs, "+")),
        "brackets for negative numbers": _any(in_brackets),
        "signs behind numbers": _any(pc.not_equal(part["last"], "")),
    }
    how = " and ".join(words for words, is_so in beside.items() if is_so) or "signs of their own"
    warning = (
        f"number_format: column '{name}' was written with {how}; it is read as numbers and comes out without them,"
        " unless it is declared as text or categorical."
    )
    return PlainNumbers(texts, not notation.has_decimals, warning)


def _notation(digits: pa.ChunkedArray, zeros: bool) -> _Notation | None:
    whole = "[0-9]+" if zeros else "(?:0|[1-9][0-9]*)"
    for between, decimal in _NOTATIONS:
        pattern = rf"^(?:(?:{whole}|[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})+)(?:{decimal}[0-9]*)?|{decimal}[0-9]+)$"
        if _all(pc.match_substring_regex(digits, pattern)):
            has_groups = _any(pc.match_substring_regex(digits, between))
            return _Notation(between, decimal, has_groups, _any(pc.match_substring_regex(digits, decimal)))
    return None


def _refuse_codes(
    digits: pa.ChunkedArray,
    notation: _Notation,
    signs: pa.ChunkedArray,
    minus: pa.ChunkedArray,
    in_brackets: pa.ChunkedArray,
    last: pa.ChunkedArray,
) -> None:
    """Raises: NotNumbers, for what looks like telephones, addresses of machines or notes."""
    lengths = pc.min_max(pc.utf8_length(digits)).as_py()
    if notation.has_groups and not notation.has_decimals:
        if notation.between == r"\.":  # 192.168.100.200
            raise NotNumbers
        if notation.between == _SPACE and lengths["min"] == lengths["max"]:  # 601 234 567
            raise NotNumbers
    with_plus = digits.filter(pc.match_substring(signs, "+"))
    if not _any(minus) and not _all(pc.match_substring_regex(with_plus, _FEW_DECIMALS)):
        raise NotNumbers
    if not notation.has_decimals and (_all(in_brackets) or _all(pc.equal(last, "-"))):
        raise NotNumbers


def _any(truths: pa.ChunkedArray) -> bool:
    return bool(pc.any(truths, min_count=0).as_py())


def _all(truths: pa.ChunkedArray) -> bool:
    return bool(pc.all(truths, min_count=0).as_py())
