"""A bin of a distribution in words."""

from collections.abc import Sequence

from synthgen_ray.quality.assessment import Bin, BinKind
from synthgen_ray.quality.page.formatting import edge, share
from synthgen_ray.quality.page.text import visible


def short(bin_: Bin) -> str:
    match bin_.kind:
        case BinKind.RANGE if (value := only_value(bin_)) is not None:
            return edge(value)
        case BinKind.RANGE:
            return f"{edge(bin_.low)} to {edge(bin_.high)}"
        case BinKind.CATEGORY:
            return bin_.label or "(empty)"
        case BinKind.REST:
            return "others"
        case BinKind.NULL:
            return "missing"


def only_value(bin_: Bin) -> float | None:
    """Of a bin that holds just one: it has no width, or is one wide with a whole number in its middle."""
    if not isinstance(bin_.low, float) or not isinstance(bin_.high, float):
        return None
    middle = bin_.low / 2 + bin_.high / 2
    is_whole = bin_.high - bin_.low == 1 and middle.is_integer()
    return middle if is_whole or bin_.low == bin_.high else None


def in_words(bin_: Bin) -> str:
    return f"{visible(short(bin_), 40)}: real {share(bin_.real)}, synthetic {share(bin_.synthetic)}"


def description(bins: Sequence[Bin]) -> str:
    return "; ".join(map(in_words, bins)) or "Nothing to draw."
