"""Bars of categories, each with its share of the real rows, and how many points more the synthetic ones have."""

from collections.abc import Sequence

from markupsafe import Markup

from synthgen_ray.quality.assessment import Bin, BinKind
from synthgen_ray.quality.page.bins import in_words, short
from synthgen_ray.quality.page.formatting import points, share
from synthgen_ray.quality.page.svg import element, fitted, label

MAX_CATEGORIES = 10
MOST_BEYOND = 2.0  # times as long as the longest of a category is that of the others drawn, or of what is missing

_LEFT, _LONGEST = 104.0, 120.0
_DIFFERENCE = 44.0  # wide
_ROW = 21.0


def bars(bins: Sequence[Bin], width: float) -> tuple[float, list[Markup]]:
    """Their height, and the shapes."""
    rows = _with_others(bins)
    full = _full(rows)
    shapes = [_bar(bin_, place * _ROW + 3, full, width) for place, bin_ in enumerate(rows)]
    axis = element("line", x1=_LEFT, x2=_LEFT, y1=0, y2=len(rows) * _ROW, class_="axis")
    return max(len(rows), 1) * _ROW, [*shapes, axis]


def _bar(bin_: Bin, y: float, full: float, width: float) -> Markup:
    real, synthetic = (_LONGEST * min(part / full, 1.0) for part in (bin_.real, bin_.synthetic))
    outline = f"M{_LEFT:.1f} {y + 1:.1f}h{synthetic:.1f}v{_ROW - 8:.1f}h{-synthetic:.1f}"
    shapes = [
        element("title", in_words(bin_)),
        element("rect", x=_LEFT, y=y, width=real, height=_ROW - 6, class_="real"),
        element("path", d=outline, class_="synthetic"),
        label(_LEFT - 6, y + 11.5, fitted(short(bin_), _LEFT - 8), "end", "label strong"),
        label(width - _DIFFERENCE, y + 11.5, share(bin_.real), "end"),
        label(width, y + 11.5, points(bin_.synthetic - bin_.real), "end"),
    ]
    if max(bin_.real, bin_.synthetic) > full:
        shapes.append(
            element("path", d=f"M{_LEFT + _LONGEST - 14:.1f} {y + _ROW - 4:.1f}l7 {2 - _ROW:.1f}", class_="gap")
        )
    return element("g", *shapes)


def _full(rows: Sequence[Bin]) -> float:
    """The share of the longest bar. The categories tell more than what they leave over, and so have the room."""
    longest = max((max(bin_.real, bin_.synthetic) for bin_ in rows), default=0.0)
    named = [max(bin_.real, bin_.synthetic) for bin_ in rows if bin_.kind is BinKind.CATEGORY]
    return (min(longest, MOST_BEYOND * max(named)) if named else longest) or 1.0


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
