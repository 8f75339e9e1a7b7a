"""A column's distribution, real and synthetic over each other: an area for the real one, a line for the synthetic one.

Area against line holds where colours do not: on paper, and for who cannot tell the two apart.
"""

from markupsafe import Markup

from synthgen_ray.quality.assessment import BinKind, ColumnResult
from synthgen_ray.quality.page.bars import bars
from synthgen_ray.quality.page.bins import description
from synthgen_ray.quality.page.histogram import histogram
from synthgen_ray.quality.page.svg import chart
from synthgen_ray.quality.page.text import visible

WIDTH = 320.0


def distribution(column: ColumnResult) -> Markup:
    """A histogram of numbers and moments, bars of categories."""
    bins = column.distribution
    is_number = any(bin_.kind is BinKind.RANGE for bin_ in bins)
    height, shapes = (histogram if is_number else bars)(bins, WIDTH)
    return chart(f"Distribution of {visible(column.name, 60)}", description(bins), WIDTH, height, *shapes)
