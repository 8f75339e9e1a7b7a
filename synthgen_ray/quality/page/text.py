"""Text that others chose, made fit to be shown: a table's names and categories may hold anything."""

import re
import unicodedata

from markupsafe import Markup, escape

MAX_TEXT = 400  # characters
MAX_NAME = 48
_TAIL = 8  # names of a machine often differ at their end


def visible(text: str, limit: int = MAX_TEXT) -> str:
    """`text` on one line, cut in its middle to `limit` characters, with a `�` for each that has no shape of its own.

    Those are control characters, halves of surrogate pairs and marks that turn the direction of what follows.
    """
    # Twice the limit is enough to see: spaces fold, and ten thousand characters are not looked at one by one.
    folded = re.sub(r"\s+", " ", text[: 2 * limit])
    if len(text) > 2 * limit:
        folded = folded[:limit] + text[-_TAIL:]
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in folded)
    return shown if len(shown) <= limit else f"{shown[: limit - _TAIL - 1]}…{shown[-_TAIL:]}"


def name(text: str) -> Markup:
    """A column or a category, kept apart from the direction of the text around it."""
    return Markup("<bdi>{}</bdi>").format(visible(text.strip(), MAX_NAME) or "(empty)")


def prose(text: str) -> Markup:
    """A sentence in which what stands between backticks is code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:  # one has no partner
        return escape("`".join(parts))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )
