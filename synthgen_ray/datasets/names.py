"""What a column may be called."""

from collections.abc import Sequence
from unicodedata import normalize

from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.shown_text import hides

MAX_NAME_LENGTH = 255


def check_names(names: Sequence[str]) -> None:
    """Refuse names that are missing, alike or unprintable. Names are kept as they are.

    Raises: InvalidTable.
    """
    if not names:
        raise InvalidTable("The table has no columns.", "no_columns")
    first_place: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        _check_name(name, place)
        key = normalize("NFC", name.strip())
        if key in first_place:
            raise InvalidTable(
                f"Columns {first_place[key]} and {place} have the same name; give each a name of its own.",
                "duplicate_column",
            )
        first_place[key] = place


def _check_name(name: str, place: int) -> None:
    if not name.strip():
        index = " If it is the index of a pandas frame, write the file with index=False." if place == 1 else ""
        raise InvalidTable(f"Column {place} has no name; give it one.{index}", "empty_column_name")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidTable(
            f"The name of column {place} has {len(name):,} characters; at most {MAX_NAME_LENGTH} are taken.",
            "column_name_too_long",
        )
    if "\0" in name:
        raise InvalidTable(f"The name of column {place} holds a NUL character.", "nul_byte")
    if hides(name):
        raise InvalidTable(
            f"The name of column {place} holds a line break, a control or an invisible character.",
            "invalid_column_name",
        )
