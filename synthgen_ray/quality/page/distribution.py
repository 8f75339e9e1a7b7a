"""A column's distribution, real and synthetic over each other: an area for the real one, a line for the synthetic one.

Area against line holds where colours do not: on paper, and for who cannot tell the two apart.
"""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from synthgen_ray.quality.assessment import Bin, BinKind, ColumnResult
from synthgen_ray.quality.page.formatting import edge, points, share
from synthgen_ray.quality.page.svg import chart, element, label
from synthgen_ray.quality.page.text import visible

WIDTH = 320.0
MAX_CATEGORIES = 10
MAX_LABEL = 14  # characters that have room beside a bar

_TOP, _BOTTOM, _HEIGHT = 18.0, 132.0, 152.0
_ASIDE = 56.0  # for what has no place on the axis
_MOST_TICKS = 5
_LETTER = 6.5  # wide, at most

_BARS_LEFT, _BARS_RIGHT = 108.0, 276.0
_ROW = 21.0


def distribution(column: ColumnResult) -> Markup:
    """A histogram of numbers and moments, bars of categories."""
    bins = column.distribution
    if any(bin_.kind is BinKind.RANGE for bin_ in bins):
        return _histogram(column.name, bins)
    return _bars(column.name, _with_others(bins))


def _histogram(name: str, bins: Sequence[Bin]) -> Markup:
    """Bins side by side, equally wide, so that their edges say what each holds; those without edges stand apart."""
    ranges = [bin_ for bin_ in bins if bin_.kind is BinKind.RANGE]
    others = [bin_ for bin_ in bins if bin_.kind is not BinKind.RANGE]
    right = WIDTH - _ASIDE * len(others)
    width = right / len(ranges)
    asides = [right + _ASIDE * (place + 0.5) for place in range(len(others))]
    highest = _highest(bins)

    def area(bin_: Bin, x: float, width: float) -> Markup:
        height = (_BOTTOM - _TOP) * bin_.real / highest
        real = element("rect", x=x, y=_BOTTOM - height, width=width, height=height, class_="real")
        return element("g", element("title", _words(bin_)), real)

    def line(bin_: Bin, x: float, width: float) -> str:
        return f"{x:.1f} {_BOTTOM - (_BOTTOM - _TOP) * bin_.synthetic / highest:.1f}h{width:.1f}"

    steps = "L".join(line(bin_, place * width, width) for place, bin_ in enumerate(ranges))
    lines = [f"M{steps}", *(f"M{line(bin_, x - 10, 20)}" for bin_, x in zip(others, asides, strict=True))]
    shapes = [
        element("line", x1=0, x2=WIDTH, y1=_TOP, y2=_TOP, class_="grid"),
        label(0, _TOP - 5, share(highest)),
        *(area(bin_, place * width, width) for place, bin_ in enumerate(ranges)),
        *(area(bin_, x - 10, 20) for bin_, x in zip(others, asides, strict=True)),
        element("path", d="".join(lines), class_="synthetic"),
        element("line", x1=0, x2=WIDTH, y1=_BOTTOM, y2=_BOTTOM, class_="axis"),
        *_ticks(ranges, width),
        *(label(x, _HEIGHT - 6, _short(bin_), "middle") for bin_, x in zip(others, asides, strict=True)),
    ]
    return chart(f"Distribution of {visible(name, 60)}", _description(bins), WIDTH, _HEIGHT, *shapes)


def _ticks(ranges: Sequence[Bin], width: float) -> list[Markup]:
    """Some of the edges, or the values themselves where each bin holds one, as many as there is room for."""
    values = [_only_value(bin_) for bin_ in ranges]
    if None in values:
        texts, first = [edge(ranges[0].low), *(edge(bin_.high) for bin_ in ranges)], 0.0
    else:
        texts, first = [edge(value) for value in values], 0.5
    places = _spread(len(texts), room=width / (1.5 * _LETTER * max(map(len, texts)) + 6))
    anchors = {places[0]: "start", places[-1]: "end"} if first == 0 else {}
    return [label((first + place) * width, _HEIGHT - 6, texts[place], anchors.get(place, "middle")) for place in places]


def _spread(count: int, room: float) -> list[int]:
    """The first of so many places, the last, and some between if they are not too close: `room` is for a label each."""
    for ticks in range(min(_MOST_TICKS, count), 2, -1):
        places = [round((count - 1) * tick / (ticks - 1)) for tick in range(ticks)]
        if min(later - place for place, later in pairwise(places)) * room >= 1:
            return places
    return [0, count - 1] if count > 1 else [0]


def _only_value(bin_: Bin) -> float | None:
    """The whole number in the middle of a bin that is one wide: the bin of one value of an integer column."""
    if not isinstance(bin_.low, float) or not isinstance(bin_.high, float):
        return None
    middle = (bin_.low + bin_.high) / 2
    return middle if bin_.high - bin_.low == 1 and middle.is_integer() else None


def _bars(name: str, bins: Sequence[Bin]) -> Markup:
    highest = _highest(bins)
    scale = (_BARS_RIGHT - _BARS_LEFT) / highest
    rows = []
    for place, bin_ in enumerate(bins):
        y = place * _ROW + 3
        real = element("rect", x=_BARS_LEFT, y=y, width=bin_.real * scale, height=_ROW - 6, class_="real")
        end = _BARS_LEFT + bin_.synthetic * scale
        outline = f"M{_BARS_LEFT:.1f} {y + 1:.1f}H{end:.1f}V{y + _ROW - 7:.1f}H{_BARS_LEFT:.1f}"
        synthetic = element("path", d=outline, class_="synthetic")
        name_of_it = label(_BARS_LEFT - 8, y + 11.5, visible(_short(bin_), MAX_LABEL), "end", "label strong")
        difference = label(WIDTH, y + 11.5, points(bin_.synthetic - bin_.real), "end")
        rows.append(element("g", element("title", _words(bin_)), real, synthetic, name_of_it, difference))
    axis = element("line", x1=_BARS_LEFT, x2=_BARS_LEFT, y1=0, y2=len(bins) * _ROW, class_="axis")
    height = max(len(bins), 1) * _ROW
    return chart(f"Distribution of {visible(name, 60)}", _description(bins), WIDTH, height, *rows, axis)


def _with_others(bins: Sequence[Bin]) -> list[Bin]:
    """The first categories by themselves, the others together with those that are too rare to be named."""
    named = [bin_ for bin_ in bins if bin_.kind is BinKind.CATEGORY]
    nulls = [bin_ for bin_ in bins if bin_.kind is BinKind.NULL]
    others = [bin_ for bin_ in bins if bin_.kind is BinKind.REST] + named[MAX_CATEGORIES:]
    if not others:
        return [*named, *nulls]
    real, synthetic = sum(bin_.real for bin_ in others), sum(bin_.synthetic for bin_ in others)
    rest = Bin(kind=BinKind.REST, label=None, low=None, high=None, real=real, synthetic=synthetic)
    return [*named[:MAX_CATEGORIES], rest, *nulls]


def _highest(bins: Sequence[Bin]) -> float:
    return max((max(bin_.real, bin_.synthetic) for bin_ in bins), default=0) or 1.0


def _short(bin_: Bin) -> str:
    match bin_.kind:
        case BinKind.RANGE if (value := _only_value(bin_)) is not None:
            return edge(value)
        case BinKind.RANGE:
            return f"{edge(bin_.low)} to {edge(bin_.high)}"
        case BinKind.CATEGORY:
            return bin_.label or "(empty)"
        case BinKind.REST:
            return "others"
        case BinKind.NULL:
            return "missing"


def _words(bin_: Bin) -> str:
    return f"{visible(_short(bin_), 40)}: real {share(bin_.real)}, synthetic {share(bin_.synthetic)}"


def _description(bins: Sequence[Bin]) -> str:
    return "; ".join(map(_words, bins)) or "Nothing to draw."
