"""In which format a date is written, by the look of one."""

import re
from functools import cache

from synthgen_ray.datasets.date_formats import pattern_of

# Where numbers alone stand in front of the year, `%d` and `%m` are yet to be told apart.
DATES = (
    *(f"%Y{s}%m{s}%d" for s in "-/."),
    *(f"%d{s}%m{s}%Y" for s in "-/."),
    *(f"%d{s}%b{s}%Y" for s in ("-", " ", "/", "")),
    "%b %d, %Y",
    "%b %d %Y",
)
TIMES = ("%H:%M:%S.%f%z", "%I:%M:%S.%f %p%z", "%I:%M:%S.%f%p%z")
BETWEEN = ("T", " ", ", ", ":")
# What may be something else, too: only a format that is declared tells.
SHORT_DATES = (
    *(f"%d{s}%m{s}%y" for s in "-/."),
    *(f"%d{s}%b{s}%y" for s in ("-", " ", "/")),
    "%b %d, %y",
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%m-%Y",
    "%b %Y",
    "%b-%Y",
    "%b-%y",
    "%b %y",
)
CLOCKS = ("%H:%M:%S.%f", "%I:%M:%S.%f %p", "%I:%M:%S.%f%p")


def _any(formats: tuple[str, ...]) -> str:
    return "(?:" + "|".join(pattern_of(written, named=False) for written in formats) + ")"


# A date as it begins, and all that is read or warned of: what a cell must look like to be tried.
DAY = _any((*DATES, *SHORT_DATES))
DATE = f"(?:{DAY}(?:(?:{'|'.join(BETWEEN)}){_any(TIMES)})?|{_any(CLOCKS)})"


def guessed(text: str) -> tuple[str, bool] | None:
    """The format of a text of the pattern `DATE`, with every part of a time that other values may have, and whether
    what looks so can hardly be something else."""
    return next(((written, sure) for written, sure, pattern in _patterns() if pattern.fullmatch(text)), None)


def orders_of(written: str) -> tuple[str, ...]:
    """The formats that look the same, where numbers alone do not tell day, month and year."""
    day_first = re.match(r"%d([-/.])%m\1(%[Yy])", written)
    if not day_first:
        return (written,)
    s, year = day_first.groups()
    rest = written[day_first.end() :]
    orders = [f"%d{s}%m{s}{year}{rest}", f"%m{s}%d{s}{year}{rest}"]
    return (*orders, f"%y{s}%m{s}%d{rest}") if year == "%y" else tuple(orders)


@cache
def _patterns() -> tuple[tuple[str, bool, re.Pattern[str]], ...]:
    """Formats, whether they are sure, and their patterns."""
    days = {**dict.fromkeys(DATES, True), **dict.fromkeys(SHORT_DATES, False)}
    formats = {**days, **dict.fromkeys(CLOCKS, True)}
    formats |= {day + between + time: sure for day, sure in days.items() for between in BETWEEN for time in TIMES}
    return tuple((written, sure, re.compile(pattern_of(written))) for written, sure in formats.items())
