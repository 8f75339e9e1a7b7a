"""What a format of dates means: the directives of strftime, as a pattern to read them by.

`%Y %y`, `%m %b %B`, `%d`, then `%H` or `%I` with `%p`, `%M`, `%S`, and `%z` for whichever zone the values have. Beside
those of strftime: `%1f` to `%9f` are as many digits of a second, `%f` is six, `%-m` is no zero in front, `%^b` is a
month in capitals, `%P` is am or pm. Months have their English names. All else is written as it stands.
"""

import re
from collections.abc import Iterator

# A second and its fraction are one with what is in front: they may be missing from single values.
TOKEN = re.compile(
    r"(?P<second>:%S)|(?P<fraction>\.%[1-57-9]?f)|%-(?P<bare>[mdHI])|%\^?(?P<name>[bB])|%(?P<plain>\w)|."
)
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
ZONE = r" ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"
LITERALS = re.compile(r"[\w ,.:/_+-]*")  # which neither CSV nor JSON, nor a spreadsheet takes for something else
_MONTH = "(?i:" + "|".join((*MONTHS, *(month[:3] for month in MONTHS))) + ")"
# A directive's part of a moment, and what it is read by; numbers of one digit may lack their zero.
_FIELDS = {
    "Y": ("year", "[0-9]{4}"),
    "y": ("year", "[0-9]{2}"),
    "m": ("month", "[0-9]{1,2}"),
    "b": ("month", _MONTH),
    "B": ("month", _MONTH),
    "d": ("day", "[0-9]{1,2}"),
    "H": ("hour", "[0-9]{1,2}"),
    "I": ("hour", "(?:0?[1-9]|1[0-2])"),
    "M": ("minute", "[0-9]{2}"),
    "S": ("second", "[0-9]{2}"),
    "p": ("half", "(?i:am|pm)"),
    "P": ("half", "(?i:am|pm)"),
    "z": ("zone", f"(?:{ZONE})?"),
}
_NUMBERS = frozenset("YymdHIMS")
_CLOCK = ("hour", "minute", "second", "fraction")


def tokens_of(written: str) -> Iterator[tuple[str, str | None]]:
    """The pieces of a format, each with the letter of its directive; `f` is a fraction, `None` a literal.

    Raises: KeyError, for a directive that there is not.
    """
    for token in TOKEN.finditer(written):
        text = token.group()
        if token["second"]:
            yield text, "S"
        elif token["fraction"]:
            yield text, "f"
        else:
            letter = token["bare"] or token["name"] or token["plain"]
            if (letter and letter not in _FIELDS) or text == "%":
                raise KeyError(text)
            yield text, letter


def pattern_of(written: str, *, named: bool = True) -> str:
    """A regular expression for what is written so, with a group for each part of a moment."""
    tokens = list(tokens_of(written))
    letters = [None, *(letter for _, letter in tokens), None]
    return "".join(
        _pattern(text, letter, named, fixed=bool({letters[place], letters[place + 2]} & _NUMBERS))
        for place, (text, letter) in enumerate(tokens)
    )


def _pattern(text: str, letter: str | None, named: bool, fixed: bool) -> str:
    if letter is None:
        return re.escape(text)
    part, pattern = _field(letter)
    if text == ":%S":
        pattern, fixed = ":[0-9]{2}", False
    if fixed and letter in "mdHI":
        pattern = "[0-9]{2}"  # nothing but its length tells where a number ends that is followed by another
    group = f"(?P<{part}>{pattern})" if named else f"(?:{pattern})"
    return f"{group}?" if text[0] in ":." else group


def _field(letter: str) -> tuple[str, str]:
    return ("fraction", r"\.[0-9]{1,9}") if letter == "f" else _FIELDS[letter]


def parts_of(written: str) -> frozenset[str]:
    """The parts of a moment that the format tells: of a time, its zone too where it is written out."""
    parts = {_field(letter)[0] for _, letter in tokens_of(written) if letter}
    return frozenset(parts | ({"zone"} if literal_zone(written) else set()))


def is_format(written: str) -> bool:
    """Whether dates or times can be read and written in this format."""
    try:
        tokens = list(tokens_of(written))
    except KeyError:
        return False
    parts = [_field(letter)[0] for _, letter in tokens if letter]
    told, letters = set(parts), {letter for _, letter in tokens}
    if len(told) < len(parts) or not LITERALS.fullmatch("".join(text for text, letter in tokens if letter is None)):
        return False
    if not written or written[0] in "+-" or ("I" in letters) != ("half" in told):
        return False
    clock = told & set(_CLOCK)
    date = told & {"year", "month", "day"}
    if clock != set(_CLOCK[: len(clock)]) or ("fraction" in told and not re.search(r"%S\.%\d?f", written)):
        return False
    if date == {"year", "month"} or not date:
        return bool(date) != (len(clock) > 1) and "zone" not in told
    return len(date) == 3 and ("zone" not in told or bool(clock))


def is_misreading(written: str, other: str) -> bool:
    """Whether the same text can be read in both formats, by another day: 03/04/2024, 24.03.04."""
    tokens, others = list(tokens_of(loosely(written))), list(tokens_of(loosely(other)))
    pairs = [(mine, its) for mine, its in zip(tokens, others, strict=False) if mine != its]
    return len(tokens) == len(others) and bool(pairs) and all({mine[1], its[1]} <= set("dmy") for mine, its in pairs)


def literal_zone(written: str) -> str | None:
    """The zone at the end of a format with a time, as it is written: `Z`, ` UTC`, `+00`."""
    _, clock, rest = written.rpartition("%M") if "%M" in written else written.rpartition("%H")
    zone = re.search(f"{ZONE}$", rest)
    return zone.group() if clock and zone else None


def any_zone(written: str) -> str:
    """The format for whichever zone its values have, where it ends in one."""
    zone = literal_zone(written)
    return written.removesuffix(zone) + "%z" if zone else written


def zone_name(literal: str) -> str:
    """What Arrow calls the zone that is written so: `Z` is UTC, ` -0500` is -05:00."""
    offset = re.sub(r"[ :]", "", literal)
    if offset in ("Z", "UTC", "GMT") or not offset[1:].strip("0"):
        return "UTC"
    return f"{offset[:3]}:{offset[3:] or '00'}"


def loosely(written: str) -> str:
    """The format but for how it pads and spells, which the values tell."""
    return re.sub(
        r"%[1-9]f", "%f", written.replace("%-", "%").replace("%^", "%").replace("%B", "%b").replace("%P", "%p")
    )
