"""Numbers as a reader sees them; what was not measured is a dash."""

from synthgen_ray.quality.assessment import Edge, Measure

NOTHING = "–"
# From where on, how much, its sign.
_UNITS = ((1e15, 1, ""), (1e12, 1e12, "T"), (1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k"))
_DATE = len("2026-02-25")
_MINUTE = len("2026-02-25T10:00")


def score(value: float | None) -> str:
    return NOTHING if value is None else f"{value:z.3f}".replace("-", "−")


def share(value: float | None) -> str:
    """In percent. What is there is never shown as nothing, nor what is not all as all."""
    if value is None:
        return NOTHING
    if 0 < value < 0.0005:
        return "<0.1%"
    return ">99.9%" if 0.9995 <= value < 1 else f"{100 * value:z.1f}%".replace("-", "−")


def points(difference: float) -> str:
    """Of two shares, in percentage points."""
    rounded = round(100 * difference, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def count(value: int) -> str:
    return f"{value:,}"


def score_interval(measure: Measure) -> str:
    return _interval(score(measure.low), score(measure.high))


def share_interval(measure: Measure) -> str:
    return _interval(share(measure.low), share(measure.high))


def edge(value: Edge | None) -> str:
    """Where a bin begins or ends, in some seven characters: `38.5`, `1.2M`, `2026-02-25`."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return value[:_DATE] if value[_DATE:_MINUTE] in ("", "T00:00") else value[:_MINUTE].replace("T", " ")
    for least, unit, sign in _UNITS:
        if abs(value) >= least:
            return f"{value / unit:.4g}{sign}".replace("-", "−")
    return f"{value:z.{4 if abs(value) < 1000 else 5}g}".replace("-", "−")


def _interval(low: str, high: str) -> str:
    return "" if NOTHING in (low, high) else f"{low} to {high}"
