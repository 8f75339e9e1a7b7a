"""Text that others chose, where people read it: what in it has no shape, or moves what stands around it."""

import re

# Line ends, other controls, and characters that hide or reorder text. The joiners U+200C and U+200D stay: emoji and
# several scripts need them. As the inside of a class of a regular expression.
UNSEEN = r"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_UNSEEN = re.compile(f"[{UNSEEN}\ud800-\udfff]")
_UNSEEN_IN_LINES = re.compile(rf"(?!\n){_UNSEEN.pattern}")


def hides(text: str) -> bool:
    """Whether there is such a character in it."""
    return _UNSEEN.search(text) is not None


def escaped(text: str, *, lines: bool = False) -> str:
    r"""With each such character as Python writes it, `\x1b` or `\u202e`: a terminal obeys some of them. `lines` may be
    several."""
    unseen = _UNSEEN_IN_LINES if lines else _UNSEEN
    return unseen.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
