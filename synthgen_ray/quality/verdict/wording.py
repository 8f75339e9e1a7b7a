"""How findings are put."""

from collections.abc import Sequence
from typing import Literal

from synthgen_ray.quality.assessment import Finding, Level, Measure

MOST_NAMED = 3  # columns in a sentence
MOST_LETTERS = 40  # of a name


def finding(
    level: Level, area: Literal["fidelity", "utility", "privacy"], sentence: str, warned: str = "", bad: str = ""
) -> Finding:
    advice = {Level.GOOD: "", Level.WARN: warned, Level.BAD: bad}[level]
    return Finding(level=level, area=area, sentence=sentence, advice=advice)


def score(measure: Measure) -> str:
    if measure.ceiling is None and measure.halves is not None and measure.matched is not None:
        beside = f"as many synthetic ones get {measure.matched:.3f}, the other half {measure.halves:.3f}"
        return f"{measure.value:.3f} of 1; beside one half of the real rows {beside}"
    if measure.ceiling is None:
        return f"{measure.value:.3f} of 1"
    if measure.matched is None:
        return f"{measure.value:.3f} of 1, other real rows get {measure.ceiling:.3f}"
    beside = f"as many rows as were held out get {measure.matched:.3f}, other real rows {measure.ceiling:.3f}"
    return f"{measure.value:.3f} of 1; {beside}"


def named(names: Sequence[str]) -> str:
    each = [quoted(name) for name in names]
    if len(names) == 1:
        return f"{each[0]} is"
    if len(names) <= MOST_NAMED:
        return ", ".join(each[:-1]) + f" and {each[-1]} are"
    return ", ".join(each[:MOST_NAMED]) + f" and {count(len(names) - MOST_NAMED, 'more column')} are"


def quoted(name: str) -> str:
    """Of a long name as much as leaves room for what is said of it."""
    return f"'{name}'" if len(name) <= MOST_LETTERS else f"'{name[: MOST_LETTERS - 1]}…'"


def count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def percent(share: float) -> str:
    """What is there is never shown as nothing, nor what is not all as all."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.995 <= share < 1:
        return ">99%"
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
