"""A score between 0 and 1: a bar for the synthetic table, a whisker for its interval, a tick for the hold-out."""

from markupsafe import Markup

from synthgen_ray.quality.assessment import Measure
from synthgen_ray.quality.page.formatting import score, score_interval
from synthgen_ray.quality.page.svg import element


def score_bar(measure: Measure, best: float = 1) -> Markup:
    """As wide as its place. The bar begins at `best` where that lies inside: its length is then what is not right."""
    start = best if 0 < best < 1 else 0.0
    shapes = [element("rect", x=0, y="40%", width="100%", height="20%", rx=2, class_="track")]
    if measure.value is not None:
        low, high = sorted((start, _within(measure.value)))
        shapes.append(
            element("rect", x=_at(low), y="25%", width=_at(high - low), height="50%", rx=2, class_="bar synthetic")
        )
    if 0 < best < 1:
        shapes.append(element("line", x1=_at(best), x2=_at(best), y1=0, y2="100%", class_="best"))
    if measure.low is not None and measure.high is not None:
        ends = {"x1": _at(_within(measure.low)), "x2": _at(_within(measure.high))}
        shapes.append(element("line", y1="50%", y2="50%", class_="whisker", **ends))
    if measure.ceiling is not None:
        x = _at(_within(measure.ceiling))
        shapes.append(element("line", x1=x, x2=x, y1=0, y2="100%", class_="ceiling"))
    return element("svg", element("title", _words(measure)), *shapes, class_="score-bar", role="img")


def _words(measure: Measure) -> str:
    interval = score_interval(measure)
    ceiling = "" if measure.ceiling is None else f"; ceiling {score(measure.ceiling)}"
    return f"{score(measure.value)}{f' ({interval})' if interval else ''}{ceiling}"


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _at(value: float) -> str:
    return f"{100 * value:.2f}%"
