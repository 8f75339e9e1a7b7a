"""Texts are made up as those of the table are written, and hold nothing that fewer than k of them share."""

import ipaddress
import re
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.synthesizers import GaussianCopula
from synthgen_ray.synthesizers.codec import CodecOptions, TableCodec
from synthgen_ray.synthesizers.columns.category import CategoryCells
from synthgen_ray.synthesizers.columns.pattern import Numbers, Pattern, Words, patterns_of, skeletons_of
from synthgen_ray.synthesizers.columns.text import TextCodec

RNG = np.random.default_rng(7)
ROWS = 3000
K = 5


def learnt(texts, kind: ColumnKind = ColumnKind.TEXT, pii: str | None = None):
    table = pa.table({"x": pa.array(texts, pa.string())})
    options = CodecOptions(k=K, most_categories=100, maps=frozenset({"marginal"}))
    return TableCodec.learn(table, table, [Column("x", kind, pii=pii)], options, np.random.default_rng(1)).columns[0]


def made(codec, count: int = 2000) -> list:
    return codec.make(np.arange(count), 11, np.random.default_rng(3)).to_pylist()


def numbers(least: int, most: int) -> list[int]:
    return RNG.integers(least, most + 1, ROWS).tolist()


WRITTEN = {
    "IBAN": ([f"DE{a:02}{b:018}" for a, b in zip(numbers(10, 98), numbers(0, 10**18 - 1), strict=True)], r"DE\d{20}"),
    "colour": ([f"#{n:06X}" for n in numbers(0, 2**24 - 1)], r"#[0-9A-F]{6}"),
    "MAC": ([f"{n:012x}" for n in numbers(0, 2**48 - 1)], r"[0-9a-f]{12}"),
    "size": ([f"{a}x{b}" for a, b in zip(numbers(100, 999), numbers(100, 999), strict=True)], r"[1-9]\d\dx[1-9]\d\d"),
    "time": ([f"{a}m {b}s" for a, b in zip(numbers(0, 999), numbers(0, 59), strict=True)], r"\d{1,3}m [1-5]?\ds"),
    "padded": ([f"No. {a:04}" for a in numbers(0, 9999)], r"No\. \d{4}"),
    "link": (
        [f"https://a.example/{a}?ref={'mail' if a % 3 else 'ad'}" for a in numbers(0, 10**6)],
        r"https://a\.example/\d+\?ref=(mail|ad)",
    ),
    "words": ([f"Called {a} of the {b}" for a, b in zip(numbers(0, 900), numbers(0, 900), strict=True)], None),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_all_have_stays(name):
    texts, pattern = WRITTEN[name]

    found = made(learnt(texts))

    assert all(re.fullmatch(pattern or r"Called \d{1,3} of the \d{1,3}", text) for text in found)
    assert not set(found) & set(texts)


def test_numbers_stay_in_their_range_and_are_as_long_as_they_were():
    addresses = [f"192.168.{a}.{b}" for a, b in zip(numbers(0, 255), numbers(0, 255), strict=True)]
    orders = [f"order {int(10**chance)}" for chance in RNG.uniform(0, 6, ROWS)]

    found = made(learnt(addresses, pii="ip_address"))
    lengths = [Counter(map(len, texts)) for texts in (orders, made(learnt(orders), ROWS))]

    assert all(ipaddress.ip_address(text) in ipaddress.ip_network("192.168.0.0/16") for text in found)
    assert all(abs(lengths[0][length] - lengths[1][length]) < 0.15 * ROWS for length in range(9, 13))


def test_words_come_as_often_as_they_did():
    texts = [f"{RNG.choice(['red', 'tan'], p=[0.8, 0.2])} {number}" for number in numbers(0, 10**6)]

    found = [text[:3] for text in made(learnt(texts))]

    assert set(found) == {"red", "tan"}
    assert found.count("red") / len(found) == pytest.approx(0.8, abs=0.04)


def test_of_few_numbers_no_more_is_kept_than_how_long_they_are():
    assert Numbers.of(["4711", "4712", "4713", "4714", "4715", "99"], K) == Numbers(edges=(1000, 10_000), digits=4)
    assert Numbers.of(["7"] * 4 + ["8"] * 3, K).edges == (0, 10)


@pytest.mark.parametrize("step", [0, 1000])
def test_an_edge_is_nobodys_number(step):
    phones = sorted(RNG.choice(10**8, 400, replace=False).tolist()) if not step else [*range(10**7, 5 * 10**7, step)]

    edges = Numbers.of([str(phone) for phone in phones], K).edges

    assert phones[K - 1] <= edges[0]
    assert edges[-1] <= phones[-K] + 1
    assert not set(edges) & set(phones)


def test_what_one_person_repeats_is_no_word_of_a_pattern():
    texts = [*["Ada 4711"] * 30, *["Bob 4712"] * 30]

    (pattern, count), *others = patterns_of(pa.array(texts), K)

    assert (count, others) == (60, [])
    assert not {"Ada", "Bob", "4711"} & {
        word for part in pattern.parts if isinstance(part, Words) for word in part.words
    }
    assert {len(text) for text in pattern.random(50, RNG).to_pylist()} == {8}


def test_a_constant_stretch_may_be_as_long_as_the_texts():
    texts = [f"{'0' * 1200}{n:012b}{'Ab ' * 100}" for n in RNG.integers(0, 4096, 400)]

    assert {len(text) for text in made(learnt(texts), 100)} == {len(texts[0])}


@pytest.mark.parametrize("k", [1, 2])
def test_a_note_of_its_own_is_no_pattern_whatever_k_is(k):
    notes = [f"{' '.join(RNG.permutation(['aa', 'bbb', 'c', 'dd', 'eeee', 'f']))} {n}" for n in range(150)]
    table = pa.table({"x": notes})
    options = CodecOptions(k=k, most_categories=100, maps=frozenset())
    codec = TableCodec.learn(table, table, [Column("x", ColumnKind.TEXT)], options, RNG).columns[0]

    assert not {text.rstrip("0123456789") for text in made(codec, 300)} & {text.rstrip("0123456789") for text in notes}


@pytest.mark.parametrize("texts", [[f"note {n}" for n in range(20)], ["Anna 1", "Ben 2", *[None] * 500]])
def test_few_texts_are_common_to_nobody_though_k_be_one(texts):
    table = pa.table({"x": pa.array(texts, pa.string())})
    options = CodecOptions(k=1, most_categories=100, maps=frozenset())
    codec = TableCodec.learn(table, table, [Column("x", ColumnKind.TEXT)], options, RNG).columns[0]

    assert not set(made(codec, 50)) & set(filter(None, texts))


def test_texts_are_none_of_the_table_whatever_letters_of_theirs_are_in_small():
    towns = RNG.choice(["İzmir", "Bursa", "ΐx", "Straße"], ROWS)
    texts = [f"{town} {number}" for town, number in zip(towns, numbers(0, 1500), strict=True)]

    assert not set(made(learnt(texts), 4000)) & set(texts)


def test_letters_that_are_newer_than_python_are_letters():
    texts = [f"{chr(0x323AF)}A {n}" for n in numbers(0, 10**5)]

    assert {text.rstrip("0123456789") for text in made(learnt(texts), 50)} == {f"{chr(0x323AF)}A "}


def test_a_short_number_takes_no_zeros_from_the_others():
    found = made(learnt([*(f"No. {n:06}" for n in numbers(0, 9999)), "No. 7"]))

    assert {len(text) for text in found} == {10}


def test_a_few_far_numbers_leave_room_among_the_others():
    tickets = [*range(1, 3000), *RNG.integers(10**6, 10**8, 30).tolist()]

    found = made(learnt([f"Ticket {n}" for n in tickets]))

    assert all(re.fullmatch(r"Ticket \d+", text) for text in found)


def test_a_pattern_of_which_the_table_has_all_texts_gets_a_wider_range():
    found = made(learnt([f"P{n % 900}" for n in range(1700)]), 300)

    assert all(re.fullmatch(r"P\d{3,4}", text) for text in found)
    assert len(set(found)) > 200


def test_words_of_other_scripts_and_their_digits_are_understood():
    found = made(learnt([f"№ {n} Zürich ٣" for n in numbers(0, 10**5)]), 300)

    assert all(re.fullmatch(r"№ \d{1,5} Zürich \d", text) for text in found)


def test_a_skeleton_is_the_same_for_all_texts_of_a_pattern():
    for texts, _ in WRITTEN.values():
        for pattern, _ in patterns_of(pa.array(texts), K):
            assert len(skeletons_of(pattern.random(100, RNG)).unique()) == 1
            assert max(len(text.encode()) for text in pattern.random(300, RNG).to_pylist()) <= pattern.widest


def test_texts_of_an_earlier_file_are_drawn_as_they_were():
    """Of one that kept outlines, with the digits and letters that it drew."""
    new = learnt([f"Ab {n:03}" for n in numbers(0, 999)])
    fields = new.model_dump() | {"patterns": (), "pattern_counts": ()}
    old = TextCodec(**fields | {"outlines": ("Aa 999", "a-9"), "outline_counts": (300, 100)})

    rng = np.random.default_rng(4)
    chosen = rng.choice(2, 100, p=[0.75, 0.25])
    first = (rng.random((int((chosen == 0).sum()), 6), dtype=np.float32) * [26, 26, 1, 10, 10, 10]).astype(int)
    expected = [chr(65 + a) + chr(97 + b) + f" {c}{d}{e}" for a, b, _, c, d, e in first.tolist()]

    drawn = old._written(100, np.random.default_rng(4)).to_pylist()

    assert [text for text, which in zip(drawn, chosen, strict=True) if which == 0] == expected


def test_a_file_of_before_has_its_share_of_empty_texts():
    fields = learnt([f"Ab {n:03}" for n in numbers(0, 999)]).model_dump() | {"empty_share": 0.3}

    codec = TextCodec.model_validate_json(TextCodec(**fields).model_dump_json())

    assert made(codec, 4000).count("") / 4000 == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    "part", [{"edges": (5, 5), "digits": 1}, {"edges": (9, 5), "digits": 1}, {"words": ("a",), "counts": (1, 2)}]
)
def test_a_part_that_cannot_be_drawn_is_refused(part):
    with pytest.raises(ValidationError):
        Pattern(parts=(part,))


class TestCommonTexts:
    def test_come_back_as_often_as_they_were_there(self):
        chance = RNG.random(ROWS)
        texts = [
            "n/a" if c < 0.3 else "No comment" if c < 0.4 else f"Line {n} of {m}"
            for c, n, m in zip(chance, numbers(0, 10**4), numbers(0, 10**4), strict=True)
        ]

        found = made(learnt(texts), 4000)

        assert found.count("n/a") / 4000 == pytest.approx(0.3, abs=0.03)
        assert found.count("No comment") / 4000 == pytest.approx(0.1, abs=0.03)
        assert not (set(found) & set(texts)) - {"n/a", "No comment"}

    def test_do_not_where_they_are_personal_or_declared_to_be_text(self):
        names = [*["Ada Lovelace"] * 400, *(f"Ann {chr(65 + n % 26)}{'x' * (n % 7)}" for n in range(600))]
        badges = ["B 7"] * 400 + ["B 8"] * 600

        notes = [*["Room 4"] * 140, *(f"Room {n}" for n in RNG.integers(1000, 1600, 860))]  # by half of them as many
        some, whole = pa.table({"x": [notes[n] for n in RNG.permutation(1000)[:400]]}), pa.table({"x": notes})
        options = CodecOptions(k=K, most_categories=100, maps=frozenset())

        codec = TableCodec.learn(some, whole, [Column("x", ColumnKind.TEXT)], options, RNG).columns[0]

        assert len(set(notes)) < 500 < 1000 * len(set(some["x"].to_pylist())) / 400
        assert codec.common == ()
        assert "Ada Lovelace" not in made(learnt(names, pii="name"))
        assert not {"B 7", "B 8"} & set(made(learnt(badges)))


PLANS = ["STD" if RNG.random() < 0.5 else f"P{n}" for n in numbers(0, 1200)]


class TestRareTexts:
    """Categories of which many are too rare to come back."""

    def test_have_stand_ins_if_they_are_numbered(self):
        codec = learnt(PLANS, ColumnKind.CATEGORICAL)
        rng = np.random.default_rng(2)

        found = codec.written(CategoryCells(rng.choice(codec.width, 4000, p=codec.shares)), rng).to_pylist()

        assert found.count("STD") / 4000 == pytest.approx(PLANS.count("STD") / ROWS, abs=0.03)
        counts = Counter(PLANS)
        assert set(found) & set(PLANS) <= {text for text, count in counts.items() if count >= K}
        assert all(re.fullmatch(r"STD|P\d{1,4}", text) for text in found)
        assert codec.stand_ins == len([count for count in counts.values() if count < K])
        assert sum(codec.tail_counts) == sum(count for count in counts.values() if count < K)

    def test_have_none_if_they_are_words_or_dates(self):
        towns = ["Rome" if RNG.random() < 0.5 else f"{chr(97 + n % 26)}{'o' * (n % 40)}" for n in numbers(0, 1200)]
        days = np.datetime_as_string(np.datetime64("2022-01-01") + np.array(numbers(0, 900)))

        for texts in (towns, [*days.tolist(), *["unknown"] * 9], ["Mon, " + day for day in days.tolist()]):
            assert learnt(texts, ColumnKind.CATEGORICAL).stand_ins == 0

    def test_have_none_in_a_dictionary_which_says_what_there_is(self):
        table = pa.table({"x": pa.array(PLANS).dictionary_encode()})
        options = CodecOptions(k=K, most_categories=100, maps=frozenset())

        codec = TableCodec.learn(table, table, [Column("x", ColumnKind.CATEGORICAL)], options, RNG).columns[0]

        assert codec.stand_ins == 0

    def test_have_a_code_and_a_share(self):
        codec = learnt([*PLANS, *[None] * 1000], ColumnKind.CATEGORICAL)
        column = pa.chunked_array([["STD", "P999999", None]])

        assert codec.encode(column, RNG)[0].tolist() == [codec.values.index("STD"), codec.width - 2, codec.width - 1]
        assert codec.shares.sum() == pytest.approx(1)
        assert codec.shares[-1] == pytest.approx(0.25)
        assert codec.shares[-2] == pytest.approx(sum(codec.tail_counts) / 4000)
        assert codec.is_unknown(column).tolist() == [False, True, False]

    def test_fill_no_gap(self):
        table = pa.table({"plan": [*PLANS, *[None] * 300], "x": np.arange(ROWS + 300)})
        model = GaussianCopula(seed=1, refine=True).fit(table)

        filled = model.impute(table, seed=1)["plan"].to_pylist()

        assert filled[:ROWS] == PLANS
        assert {PLANS.count(text) >= K for text in filled[ROWS:]} == {True}

    def test_are_as_many_of_their_like_as_there_is_room_for(self):
        texts = ["STD"] * 5000 + [f"P{n}" for n in range(12_000)]
        codec = learnt([texts[n] for n in RNG.permutation(len(texts))], ColumnKind.CATEGORICAL)

        assert codec.stand_ins == 10_000
        assert sum(codec.tail_counts) == 12_000
