"""Text that others chose, made fit to be shown: a table's names and categories may hold anything."""

import re
import unicodedata

from markupsafe import Markup, escape

MAX_TEXT = 400  # characters
MAX_NAME = 48
MAX_PROSE = 4_000
_NARROW, _WIDE = " !'(),-./:;I[]fijlrt|", "%@MWmw…\N{REPLACEMENT CHARACTER}"
_TAIL = 8  # names of a machine often differ at their end
_JOINERS = "\u200c\u200d\u00ad"  # without which Persian, families of emoji and long words fall apart


def visible(text: str, limit: int = MAX_TEXT) -> str:
    """`text` on one line, cut in its middle to `limit` characters, with a `�` for each that has no shape of its own.

    Those are control characters, halves of surrogate pairs and marks that turn the direction of what follows.
    """
    # Twice the limit is enough to see: spaces fold, and ten thousand characters are not looked at one by one.
    if len(text) > 2 * limit:
        text = f"{text[: 2 * limit]}…{text[-_TAIL:]}"
    folded = re.sub(r"\s+", " ", text)
    shown = "".join("\N{REPLACEMENT CHARACTER}" if _has_no_shape(c) else c for c in folded)
    if len(shown) <= limit:
        return shown
    tail = min(_TAIL, limit // 2)
    return f"{shown[: limit - tail - 1]}…{shown[-tail:]}"


def name(text: str) -> Markup:
    """A column or a category, kept apart from the direction of the text around it."""
    return Markup("<bdi>{}</bdi>").format(visible(text.strip().strip(_JOINERS), MAX_NAME) or "(empty)")


def prose(text: str) -> Markup:
    """Sentences of ours, in which what stands between backticks is code; a word so long as to be cut is a value."""
    told = re.sub(rf"\S{{{MAX_NAME + 1},}}", lambda value: visible(value[0], MAX_NAME), text)
    parts = visible(told, MAX_PROSE).split("`")
    if len(parts) % 2 == 0:  # one has no partner
        return escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def width(text: str) -> float:
    """About how wide it is in the widest of the usual fonts, in ems: which one a reader has is not known."""
    return sum(map(_advance, text))


def _advance(c: str) -> float:
    if c in _WIDE or unicodedata.east_asian_width(c) in "WF":
        return 1.0
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0.0
    if c in _NARROW:
        return 0.42
    return 0.64 if c.isascii() and (c.islower() or c.isdigit()) else 0.8


def _has_no_shape(c: str) -> bool:
    return unicodedata.category(c)[0] == "C" and c not in _JOINERS
