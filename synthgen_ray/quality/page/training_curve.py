"""A loss over the epochs of a training."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from synthgen_ray.quality.page.about import About
from synthgen_ray.quality.page.svg import chart, element, label
from synthgen_ray.quality.page.text import visible

MAX_POINTS = 300
MAX_CURVES = 6

_WIDTH, _HEIGHT = 340.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 334.0, 12.0, 144.0

Point = tuple[int, float]


def training_curves(about: About) -> list[tuple[str, Markup]]:
    """A name and a curve for each loss, in the order in which they were first reported."""
    names = list(dict.fromkeys(name for _, losses in about.losses for name in losses))[:MAX_CURVES]
    return [
        (name, _curve(name, [(epoch, losses[name]) for epoch, losses in about.losses if name in losses]))
        for name in names
    ]


def _curve(name: str, points: Sequence[Point]) -> Markup:
    # The last point of each stretch stays, and so the last of all.
    points = list(reversed(points[:: -math.ceil(len(points) / MAX_POINTS)]))
    epochs, losses = [epoch for epoch, _ in points], [loss for _, loss in points]
    low, high = min(losses), max(losses)

    def place(point: Point) -> tuple[float, float]:
        epoch, loss = point
        across = (epoch - epochs[0]) / (epochs[-1] - epochs[0]) if epochs[-1] > epochs[0] else 0.5
        up = (loss - low) / (high - low) if high > low else 0.5
        return _LEFT + across * (_RIGHT - _LEFT), _BOTTOM - up * (_BOTTOM - _TOP)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, points))
    x, y = place(points[-1])
    shapes = [
        element("line", x1=_LEFT, x2=_RIGHT, y1=_TOP, y2=_TOP, class_="grid"),
        element("line", x1=_LEFT, x2=_RIGHT, y1=_BOTTOM, y2=_BOTTOM, class_="axis"),
        element("polyline", points=line, class_="curve"),
        element("circle", cx=x, cy=y, r=3, class_="end"),
        label(_LEFT - 6, _TOP + 4, f"{high:.3g}", "end"),
        label(_LEFT - 6, _BOTTOM + 4, f"{low:.3g}", "end"),
        label(_LEFT, _HEIGHT - 8, f"epoch {epochs[0]}"),
        label(_RIGHT, _HEIGHT - 8, f"{epochs[-1]}", "end"),
    ]
    words = f"From {losses[0]:.4g} at epoch {epochs[0]} to {losses[-1]:.4g} at epoch {epochs[-1]}."
    return chart(f"Loss: {visible(name, 60)}", words, _WIDTH, _HEIGHT, *shapes)
