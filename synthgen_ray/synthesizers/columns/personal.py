"""Personal data that nobody has: names, addresses and the like, whole columns at once from Faker's lists of words."""

import re
from functools import cache
from string import Formatter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.column_names import words_of

# In braces another kind, or a part. Phone and card numbers and post codes are known by their outline instead.
WRITTEN_AS = {
    "name": ("{first_name} {last_name}",),
    "first_name": ("{first}",),
    "last_name": ("{last}",),
    "email": ("{username}@example.com", "{username}@example.org", "{username}@example.net"),
    "address": ("{street}\n{city}, {state} {post_code}",),
    "street": ("{number} {first} {way}", "{number} {last} {way}"),
    "city": ("{direction} {first}{town}", "{direction} {first}", "{first}{town}", "{last}{town}"),
    "company": ("{last} {form}", "{last}-{last}", "{last}, {last} and {last}"),
    "job": ("{job}",),
    "url": ("https://www.{last}.example/", "https://www.{last}-{last}.example/"),
    "username": ("{first}.{last}{number}", "{first}{number}", "{last}{number}"),
    # As names and addresses are written that are no whole ones, see `as_written`. Of pairs there are enough that a
    # table never has them all.
    "given_name": (*5 * ("{first}",), "{first}-{first}"),
    "surname": (*5 * ("{last}",), "{last}-{last}"),
    "surname_first": ("{last}, {first}",),
    "address_line": ("{street}, {city}, {state} {post_code}",),
}
LAST_NAMES = frozenset(
    {"last", "family", "sur", "maiden", "surname", "surnames", "lastname", "nachname", "familienname", "apellido"}
    | {"apellidos", "cognome", "sobrenome", "achternaam", "фамилия"}
)
LOWER_CASE = ("email", "url", "username")
NUMBERS = {"number": (1, 10_000), "post_code": (10_000, 100_000)}  # from, up to


def as_written(kind: str, column: str, texts: pa.Array) -> str:
    """The kind of `WRITTEN_AS` that texts of a kind look like most: a name of one word, an address on one line."""

    def most(pattern: str) -> bool:
        return bool(2 * pc.sum(pc.match_substring_regex(texts, pattern)).as_py() > len(texts))

    if kind == "address" and not most(r"\n"):
        return "address_line" if most(",") else "street"
    if kind == "name" and not most(r"\S\s+\S"):
        return "surname" if LAST_NAMES & set(words_of(column)) else "given_name"
    return "surname_first" if kind == "name" and most(",") else kind


def personal_texts(kind: str, count: int, rng: np.random.Generator) -> pa.Array:
    """So many texts of a kind of `WRITTEN_AS`."""
    ways = WRITTEN_AS[kind]
    chosen = rng.integers(len(ways), size=count)
    texts = pa.concat_arrays([_filled(way, int((chosen == place).sum()), rng) for place, way in enumerate(ways)])
    in_place = np.argsort(np.argsort(chosen, kind="stable"))
    texts = texts.take(pa.array(in_place))
    return pc.utf8_lower(texts) if kind in LOWER_CASE else texts


def could_be_personal(kind: str, texts: pa.Array) -> pa.Array:
    """Which texts are written as those of the kind are, whatever their words, case and blanks are."""
    ways = (
        "".join(
            r"\s+".join(map(re.escape, re.split(r"\s+", text))) + ".*" * (part is not None)
            for text, part, _, _ in Formatter().parse(way)
        )
        for way in WRITTEN_AS[kind]
    )
    return pc.match_substring_regex(texts, f"(?s)^({'|'.join(ways)})$", ignore_case=True)


def _filled(way: str, count: int, rng: np.random.Generator) -> pa.Array:
    pieces: list[pa.Array | str] = []
    for literal, part, _, _ in Formatter().parse(way):
        pieces.append(literal)
        if part in NUMBERS:
            pieces.append(pa.array(rng.integers(*NUMBERS[part], size=count)).cast(pa.string()))
        elif part in WRITTEN_AS and f"{{{part}}}" not in WRITTEN_AS[part]:
            pieces.append(personal_texts(part, count, rng))
        elif part:
            words = _words(part)
            pieces.append(words.take(pa.array(rng.integers(len(words), size=count))))
    return pc.binary_join_element_wise(*pieces, "")


@cache
def _words(part: str) -> pa.Array:
    from synthgen_ray.synthesizers.columns.words import LISTS

    return pa.array(sorted(set(LISTS[part])))
