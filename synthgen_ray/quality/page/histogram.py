"""Numbers and moments in bins whose areas are the shares of the rows.

They are drawn to scale as far as that can be read: a tail may be a hundred times as wide as a bin of the middle, which
would be a hair then, and the zeros of a column may be nine tenths of it.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate, pairwise
from statistics import median_low
from typing import NamedTuple

from markupsafe import Markup

from synthgen_ray.quality.assessment import Bin, BinKind
from synthgen_ray.quality.page.bins import in_words, only_value, short
from synthgen_ray.quality.page.formatting import edge, share
from synthgen_ray.quality.page.svg import element, label, label_width

MOST_STRETCHED = 4.0  # times as wide, or narrow, as the median bin is one drawn
MOST_ABOVE = 10.0  # times as high as all others is one drawn; a higher one is cut to half of that

_TOP, _BOTTOM, _HEIGHT = 18.0, 132.0, 155.0
_AXIS = _BOTTOM + 2  # where no line hides it
_ASIDE, _MOST_ASIDE = 56.0, 40.0  # for what has no place on the axis, and how wide it is at most
_BETWEEN = 10.0  # the labels of the axis


class Column(NamedTuple):
    bin: Bin
    x: float
    width: float
    real: float  # how high
    synthetic: float

    @classmethod
    def of(cls, bin_: Bin, x: float, width: float, usual: float) -> "Column":
        """As high as its share is, if it is as wide as usual; lower where it is wider."""
        return cls(bin_, x, width, bin_.real * usual / width, bin_.synthetic * usual / width)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def height(self) -> float:
        return max(self.real, self.synthetic)


def histogram(bins: Sequence[Bin], width: float) -> tuple[float, list[Markup]]:
    """Its height, and the shapes. Bins without edges stand apart."""
    ranges = [bin_ for bin_ in bins if bin_.kind is BinKind.RANGE]
    others = [bin_ for bin_ in bins if bin_.kind is not BinKind.RANGE]
    right = width - _ASIDE * len(others)
    stretches = _stretches(ranges)
    widths = [min(max(stretch, 1 / MOST_STRETCHED), MOST_STRETCHED) for stretch in stretches]
    usual = right / sum(widths)
    places = [usual * reached for reached in accumulate(widths, initial=0.0)]
    columns = [
        Column.of(bin_, low, high - low, usual) for bin_, (low, high) in zip(ranges, pairwise(places), strict=True)
    ]
    wide = min(usual, _MOST_ASIDE)
    asides = [
        Column.of(bin_, right + _ASIDE * (place + 0.5) - wide / 2, wide, usual) for place, bin_ in enumerate(others)
    ]
    cut, highest = _highest([*columns, *asides])
    full = MOST_ABOVE / 2 * highest.height if cut else highest.height or 1.0

    def y(height: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * min(height / full, 1.0)

    def area(column: Column) -> Markup:
        top = y(column.real)
        real = element("rect", x=column.x, y=top, width=column.width, height=_BOTTOM - top, class_="real")
        return element("g", element("title", in_words(column.bin)), real)

    def line(column: Column) -> str:
        return f"{column.x:.1f} {y(column.synthetic):.1f}h{column.width:.1f}"

    lines = [f"M{'L'.join(map(line, columns))}", *(f"M{line(aside)}" for aside in asides)]
    is_cut_left = cut is not None and cut.middle < width / 2
    top = y(highest.height)
    told = share(max(highest.bin.real, highest.bin.synthetic))
    wider = [stretch > MOST_STRETCHED for stretch in stretches]
    return _HEIGHT, [
        element("line", x1=0, x2=width, y1=top, y2=top, class_="grid"),
        label(width, top - 5, told, "end") if is_cut_left else label(0, top - 5, told),
        *map(area, [*columns, *asides]),
        element("path", d="".join(lines), class_="synthetic"),
        *(_cut(cut, is_cut_left) if cut else ()),
        *_axis(columns, wider, width),
        *_labels(columns, wider, right),
        *(label(aside.middle, _HEIGHT - 6, short(aside.bin), "middle") for aside in asides),
    ]


def _stretches(ranges: Sequence[Bin]) -> list[float]:
    """How many times as wide as the median one the bins are."""
    spans = [_span(bin_) for bin_ in ranges]
    usual = median_low(spans) or 1.0
    return [span / usual for span in spans]


def _span(bin_: Bin) -> float:
    match bin_.low, bin_.high:
        case str(low), str(high):
            return (datetime.fromisoformat(high) - datetime.fromisoformat(low)).total_seconds()
        case float(low), float(high):
            return high / 2 - low / 2  # the whole width of huge ones would be infinite
    return 0.0


def _highest(columns: Sequence[Column]) -> tuple[Column | None, Column]:
    """The column that is cut since all others would be flat beside it, if there is one, and the highest of the rest."""
    *others, highest = sorted(columns, key=lambda column: column.height)
    if others and 0 < MOST_ABOVE * others[-1].height < highest.height:
        return highest, others[-1]
    return None, highest


def _cut(column: Column, is_left: bool) -> list[Markup]:
    """A gap near the top, and the shares beside it: no other column reaches so high."""
    x, anchor = (column.x + column.width + 5, "start") if is_left else (column.x - 5, "end")
    return [
        element("path", d=f"M{column.x - 2:.1f} {_TOP + 14:.1f}l{column.width + 4:.1f} -7", class_="gap"),
        label(x, _TOP + 14, f"real {share(column.bin.real)}", anchor),
        label(x, _TOP + 28, f"synthetic {share(column.bin.synthetic)}", anchor),
    ]


def _axis(columns: Sequence[Column], wider: Sequence[bool], width: float) -> list[Markup]:
    """Dashed below what is wider than it is drawn."""
    dashed = "".join(
        f"M{column.x:.1f} {_AXIS:.1f}h{column.width:.1f}"
        for column, is_wider in zip(columns, wider, strict=True)
        if is_wider
    )
    axis = element("line", x1=0, x2=width, y1=_AXIS, y2=_AXIS, class_="axis")
    return [axis, element("path", d=dashed, class_="dashed")] if dashed else [axis]


def _labels(columns: Sequence[Column], wider: Sequence[bool], right: float) -> list[Markup]:
    """As many edges as there is room for, or values where each bin holds one: the outermost first, and those beside
    bins that are wider than drawn, without which the others would mislead."""
    ticks = _ticks(columns)
    beside = [tick for is_wider, ends in zip(wider, pairwise(ticks), strict=False) if is_wider for tick in ends]
    wanted = [(tick, ["middle", "end", "start"]) for tick in (ticks[0], ticks[-1], *beside)]
    wanted += [(tick, ["middle"]) for tick in ticks]
    taken: list[tuple[float, float]] = []
    shapes = []
    for (x, text), anchors in wanted:
        width = label_width(text)
        for anchor in anchors:
            low = x - width * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
            high = low + width
            is_inside = low > -0.1 and high < right + 0.1
            if is_inside and all(high + _BETWEEN <= start or end + _BETWEEN <= low for start, end in taken):
                taken.append((low, high))
                shapes.append(element("line", x1=x, x2=x, y1=_AXIS, y2=_AXIS + 3, class_="axis"))
                shapes.append(label(x, _HEIGHT - 6, text, anchor))
                break
    return shapes


def _ticks(columns: Sequence[Column]) -> list[tuple[float, str]]:
    values = [only_value(column.bin) for column in columns]
    if None not in values:
        return [(column.middle, edge(value)) for column, value in zip(columns, values, strict=True)]
    last = columns[-1]
    return [*((column.x, edge(column.bin.low)) for column in columns), (last.x + last.width, edge(last.bin.high))]
