import random
import re
import uuid

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable, JobError
from synthgen_ray.synthesizers.codec import CodecOptions, TableCodec
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.permutation import permute
from synthgen_ray.synthesizers.columns.personal import personal_texts
from synthgen_ray.synthesizers.columns.seen import Seen
from synthgen_ray.synthesizers.columns.shape import Shape

RNG = np.random.default_rng(3)
FAR = 2.0**60 + 2.0**58  # where floats differ by 256


def learnt(kind: ColumnKind, values, pii: str | None = None, name: str = "x"):
    """The codec of a column alone in its table."""
    table = pa.table({name: values})
    options = CodecOptions(k=5, most_categories=100, maps=frozenset())
    return TableCodec.learn(table, table, [Column(name, kind, pii=pii)], options, RNG).columns[0]


def made(codec, count: int, start: int = 0) -> list:
    rows = np.arange(start, start + count, dtype=np.uint64)
    return codec.make(rows, 11, np.random.default_rng(start)).to_pylist()


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000, 4097])
def test_a_permutation_hits_every_place_once(size):
    assert sorted(permute(np.arange(size), size, key=5).tolist()) == list(range(size))


def test_permutations_differ_by_key():
    places = np.arange(1000)

    assert not np.array_equal(permute(places, 1000, key=1), permute(places, 1000, key=2))


def test_a_shape_is_the_narrowest_that_fits():
    shape = Shape.of(np.array(["AB-1f", "AB-9z", "AB-0a"]))

    assert shape.alphabets == ("A", "B", "-", "0123456789", "abcdefghijklmnopqrstuvwxyz")
    assert shape.size == 260


def test_all_codes_of_a_shape_differ():
    shape = Shape(alphabets=("X", "012", "abcd"))

    assert len(set(shape.write(np.arange(12), key=3))) == 12


def test_codes_of_a_shape_too_large_to_count_differ():
    shape = Shape(alphabets=("0123456789abcdef",) * 32)

    codes = shape.write(np.arange(5000), key=3)

    assert len(set(codes)) == 5000
    assert {len(code) for code in codes} == {32}
    assert len({code[:8] for code in codes}) > 4900


def test_what_was_seen_is_never_forgotten():
    texts = np.array([f"person {n}" for n in range(5000)], dtype=object)

    nothing = Seen.nothing(RNG)
    seen = nothing.of(nothing.hashes(pa.array(texts)), 1 / 16)

    assert seen.contains(texts).all()
    assert seen.contains(np.array([f"stranger {n}" for n in range(5000)], dtype=object)).mean() < 0.1


class TestCodes:
    @pytest.mark.parametrize("count", [90, 3000])
    def test_are_unique_across_chunks_and_new_even_in_a_crowded_shape(self, count):
        table = [f"C{n:03}" for n in range(900)]
        codec = learnt(ColumnKind.ID, table)

        codes = made(codec, count) + made(codec, count, start=count)

        assert len(set(codes)) == 2 * count
        assert not set(codes) & set(table)
        assert all(code.startswith("C") and code[1:].isdigit() for code in codes)

    @pytest.mark.parametrize("pattern", ["P-{:05}", "{:06}", "INV-2021-{:04}", "{:04}/B"])
    def test_use_up_the_zeros_that_fill_their_numbers_before_they_are_longer(self, pattern):
        table = [pattern.format(n) for n in range(300)]
        codec = learnt(ColumnKind.ID, table)

        codes = made(codec, 1000) + made(codec, 1000, start=1000)

        assert len(set(codes)) == 2000
        assert not set(codes) & set(table)
        longer = [code for code in codes if re.sub("[0-9]", "9", code) != re.sub("[0-9]", "9", table[0])]
        assert len(longer) < 20  # who looks seen wherever it looks

    def test_of_fewer_zeros_have_none_in_common(self):
        shape = Shape.of(np.array(["A00120", "A00305", "A00789"], dtype=object))

        shapes = [shape, *shape.fuller()]

        assert [one.size for one in shapes] == [900, 9000, 90_000]
        codes = [one.write(np.arange(500), key=3) for one in shapes]
        assert len(set(np.concatenate(codes))) == 1500

    def test_are_found_where_most_strangers_look_seen_too(self):
        """As in a file with many such columns."""
        table = [f"{n:04}" for n in range(9900)]
        columns = {f"text {n}": [f"{word}-{m}" for m in range(50)] for n, word in enumerate(["no", "note", "on"] * 5)}
        whole = pa.table({"x": table, **{name: (values * 200)[:9900] for name, values in columns.items()}})
        kinds = [Column(name, ColumnKind.ID if name == "x" else ColumnKind.TEXT) for name in whole.column_names]
        options = CodecOptions(k=5, most_categories=100, maps=frozenset())
        codec, text, *_ = TableCodec.learn(whole, whole, kinds, options, RNG).columns

        codes, texts = made(codec, 5000), made(text, 3000)

        assert len(set(codes)) == 5000
        assert not set(codes) & set(table)
        assert max(map(len, codes)) < 10
        assert not set(texts) & set(whole["text 0"].to_pylist())
        assert max(map(len, texts)) < 10

    def test_of_several_shapes_come_back_in_the_same_mix(self):
        table = (
            [f"N{n:03}{'AB'[n % 2]}" for n in range(600)]
            + [f"{n * 331 % 100_000:05}-x" for n in range(300)]
            + ["ß-1", "Ω"]
        )

        codes = made(learnt(ColumnKind.ID, table), 3000)

        tail, number = (
            sum(re.fullmatch(p, code) is not None for code in codes) for p in (r"N\d{3}[A-Z].?", r"\d{5}-x")
        )
        assert tail + number > 2960  # the others found no new code in the shape
        assert number == pytest.approx(1000, rel=0.15)
        assert len(set(codes)) == 3000

    def test_keep_the_few_words_that_they_begin_with(self):
        kinds = RNG.choice(["AU", "HO", "LI"], 2000, p=[0.6, 0.3, 0.1])
        ids = [f"POL-{kind}-{n:06}" for kind, n in zip(kinds, RNG.permutation(10**6)[:2000], strict=True)]

        codes = made(learnt(ColumnKind.ID, ids), 3000)

        assert all(re.fullmatch(r"POL-(AU|HO|LI)-\d{6,7}", code) for code in codes)
        assert sum("-AU-" in code for code in codes) / 3000 == pytest.approx(0.6, abs=0.05)
        assert len(set(codes) - set(ids)) == 3000

    def test_keep_no_words_that_leave_no_room(self):
        ids = [f"{'AB'[n % 2]}{n:03}" for n in range(900)]

        codes = made(learnt(ColumnKind.ID, ids), 3000)

        assert len(set(codes) - set(ids)) == 3000
        assert max(map(len, codes)) <= 5

    def test_that_are_one_id_on_many_rows_are_not_its_shape(self):
        stored = learnt(ColumnKind.ID, ["Q77-Z"] * 50 + ["A12-B"] * 50)

        assert stored.shapes[0].alphabets == ("0123456789",) * 5

    def test_are_no_ids_shape_though_every_category_is_kept(self):
        table = pa.table({"x": [*(f"A{n:04}" for n in range(99)), "Zed-7"]})
        options = CodecOptions(k=1, most_categories=100, maps=frozenset())
        (stored,) = TableCodec.learn(table, table, [Column("x", ColumnKind.ID)], options, RNG).columns

        assert [len(shape.alphabets) for shape in stored.shapes] == [5]
        assert stored.shapes[0].alphabets[0] == "A"

    def test_of_digits_have_no_zero_in_front(self):
        codes = made(learnt(ColumnKind.ID, [str(n) for n in range(1, 5000)]), 3000)

        assert not [code for code in codes if code.startswith("0")]

    def test_do_not_depend_on_the_chunk_they_are_made_in(self):
        codec = learnt(ColumnKind.ID, [f"{n:08x}" for n in range(500)])

        assert made(codec, 100) == made(codec, 60) + made(codec, 40, start=60)

    def test_that_are_uuids_are_of_the_same_version(self):
        chance = random.Random(0)
        table = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(500)]

        codes = made(learnt(ColumnKind.ID, table), 1000)

        assert {uuid.UUID(code).version for code in codes} == {4}

    def test_learn_from_texts_of_any_length(self):
        table = ["", "x" * 5000, *[f"{n}" for n in range(1000)]]

        codes = made(learnt(ColumnKind.ID, table), 2000)

        assert len(set(codes)) == 2000
        assert not set(codes) & set(table)


class TestSequences:
    @pytest.mark.parametrize(
        ("table", "expected"),
        [
            (pa.array([5, 9, 7, 6]), [10, 11]),
            (pa.array([41, 42, 43]), [50, 51]),
            (pa.array([7, 107, 207, 307]), [1007, 1107]),
            (pa.array([30, 10, 20]), [100, 110]),
            (pa.array([2**63 - 1, 2**63 - 2]), [2**63 - 8, 2**63 - 9]),
            (pa.array([2**64 - 1, 2**64 - 2], pa.uint64()), [2**64 - 6, 2**64 - 7]),
            (pa.array([1.0, None, 2.0]), [10.0, 11.0]),
            (pa.array([1.0, 2.0], pa.float16()), [10.0, 11.0]),
            (pa.array(["1", "2"]).cast(pa.decimal128(9, 2)), [10, 11]),
            (pa.array([FAR, FAR + 256, FAR + 512]), [FAR + 2560, FAR + 2816]),
            (pa.array([FAR / 2**30, FAR / 2**30 + 128], pa.float32()), [FAR / 2**30 - 1280, FAR / 2**30 - 1408]),
            (pa.array([4100.0, 4104.0], pa.float16()), [4080.0, 4076.0]),
        ],
    )
    def test_go_on_from_a_round_number_where_there_is_room(self, table, expected):
        codec = learnt(ColumnKind.ID, table).model_copy(update={"null_share": 0.0})

        assert codec.kind == "sequence"
        assert made(codec, 2) == expected

    @pytest.mark.parametrize("far", [987_654_321, -987_654_321])
    def test_do_not_tell_one_that_is_far_from_all_others(self, far):
        codec = learnt(ColumnKind.ID, pa.array([*range(1, 1001), far]))

        assert codec.kind == "sequence"
        assert min(abs(one - far) for one in made(codec, 500)) > 10**6
        assert str(abs(far))[:7] not in codec.model_dump_json()

    @pytest.mark.parametrize(
        ("ids", "type_"),
        [
            ([*range(10, 10_001, 10), 1_000_000], pa.int64()),
            ([*range(1, 1001), 60_000], pa.uint16()),
            ([*range(1, 1001), 200 * 10**6], pa.int32()),
            ([*range(1, 1001), 9 * 10**18], pa.int64()),
        ],
    )
    def test_stay_on_their_grid_and_in_their_type_behind_one_that_is_far(self, ids, type_):
        codec = learnt(ColumnKind.ID, pa.array(ids, type_))

        rows = made(codec, 2000)

        step = ids[1] - ids[0]
        assert codec.kind == "sequence"
        assert {one % step for one in rows} == {ids[0] % step}
        assert min(rows) > max(ids)
        assert len({*rows}) == 2000

    def test_have_gaps_now_and_then(self):
        ids = np.cumsum(np.where(np.arange(500) % 50, 1, 10**6))

        assert np.diff(made(learnt(ColumnKind.ID, ids), 100)).tolist() == [1] * 99

    def test_stay_times_of_a_day(self):
        evening = pa.array(86_399 - np.arange(50, dtype=np.int32), pa.time32("s"))

        rows = learnt(ColumnKind.ID, evening).make(np.arange(50), 1, RNG)

        rows.validate(full=True)
        assert not set(rows.to_pylist()) & set(evening.to_pylist())

    def test_say_when_the_type_is_exhausted(self):
        codec = learnt(ColumnKind.ID, pa.array(range(-100, 100), pa.int8()))

        with pytest.raises(JobError) as caught:
            made(codec, 100)

        assert caught.value.code == "ids_exhausted"

    @pytest.mark.parametrize("type_", [pa.uint8(), pa.int8()])
    def test_that_fill_their_type_are_refused_with_what_would_do(self, type_):
        low = -128 if type_ == pa.int8() else 0

        with pytest.raises(InvalidTable, match=r"in the type u?int8; .* int64 for example, or as a category"):
            learnt(ColumnKind.ID, pa.array(range(low, low + 256), type_))


class TestScatteredIds:
    @pytest.mark.parametrize(
        ("least", "most", "type_"),
        [
            (100_000, 999_999, pa.int64()),
            (1, 40_000, pa.uint16()),
            (-5_000, 5_000, pa.int32()),
            (-(2**63), 2**63 - 1, pa.int64()),
            (2**60, 2**64 - 1, pa.uint64()),
            (10**8, 10**9, pa.float64()),
            (12 * 10**17, 13 * 10**17, pa.float64()),  # as posts of a social network, of which some lack it
            (10**9, 10**12, pa.float32()),
            (10**6, 10**7 - 1, pa.decimal128(9, 2)),
            (0, 10**9, pa.date32()),
        ],
        ids=str,
    )
    def test_are_unique_new_and_of_the_same_range(self, least, most, type_):
        python = [least + int(share * (most - least)) for share in RNG.random(400)]
        table = pa.array([str(one) for one in python]).cast(type_) if type_ != pa.date32() else None
        table = arrow.of_integers(np.array(python) % 10**6, type_) if table is None else table
        codec = learnt(ColumnKind.ID, table)

        rows = np.arange(2000, dtype=np.uint64)
        ids = pa.concat_arrays([codec.make(part, 11, RNG) for part in (rows[:900], rows[900:])])

        assert codec.kind == "scattered"
        assert ids.type == type_
        assert len(set(ids.to_pylist())) == 2000
        assert not set(ids.to_pylist()) & set(table.to_pylist())
        low, high = (float(numbers_of(table, one)) for one in (np.min, np.max))
        assert low - (high - low) <= numbers_of(ids, np.min) < numbers_of(ids, np.max) <= high + (high - low)
        assert np.ptp([numbers_of(ids, end) for end in (np.min, np.max)]) > (high - low) * 0.8

    def test_are_found_for_more_rows_than_the_range_has(self):
        table = pa.array(RNG.permutation(1000)[:300])
        codec = learnt(ColumnKind.ID, table)

        ids = made(codec, 2000) + made(codec, 2000, start=2000)

        assert len(set(ids)) == 4000
        assert not set(ids) & set(table.to_pylist())

    @pytest.mark.parametrize("ids", [(123_456, 987_654), (1_000_001, 1_000_003), (-77_777, 41)])
    def test_of_two_ids_tell_neither(self, ids):
        codec = learnt(ColumnKind.ID, pa.array(ids * 20))

        stored = codec.model_dump(exclude={"seen"})
        assert codec.kind == "scattered"
        assert not {*ids} & {stored["lowest"], stored["lowest"] + stored["size"] - 1, stored["start"] % stored["step"]}
        assert not {*made(codec, 500)} & {*ids}

    @pytest.mark.parametrize("ids", [[123_456_789], [-77_777], [123_456_789, 123_456_795, 123_456_799]])
    def test_of_few_ids_are_all_over_their_size(self, ids):
        codec = learnt(ColumnKind.ID, pa.array([*ids, *[None] * 40]))

        assert codec.kind == "scattered"
        assert str(abs(ids[0]))[:4] not in codec.model_dump_json()
        assert np.ptp(made(codec.model_copy(update={"null_share": 0.0}), 500)) > abs(ids[0]) / 2

    def test_do_not_tell_the_extremes_of_the_table(self):
        table = pa.array([1_234_567, *RNG.integers(2_000_000, 7_000_000, 300).tolist(), 7_654_321])

        stored = learnt(ColumnKind.ID, table).model_dump_json()

        assert not [one for one in (1_234_567, 7_654_321, 1_234_566, 7_654_322) if str(one) in stored]


def numbers_of(ids: pa.Array, end) -> float:
    plain = ids.cast(pa.int32()) if pa.types.is_date(ids.type) else ids
    return float(end(plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)))


class TestTexts:
    def test_of_other_scripts_keep_none_of_their_letters(self):
        names = ["王小明", "李雷 Зоя", "Zoë Ålund"] * 50

        stored = learnt(ColumnKind.TEXT, names).model_dump_json()

        assert not [letter for letter in "王小明李雷ЗояëÅ" if letter in stored]

    def test_of_fewer_than_k_rows_tell_not_even_their_length(self):
        few = learnt(ColumnKind.TEXT, ["one two three four five", None, None])

        assert few.words == (4,)

    @pytest.mark.parametrize("pii", ["name", "email", "address", "company", None])
    def test_are_none_of_the_table(self, pii):
        codec = learnt(ColumnKind.TEXT, ["a", "b"] * 20, pii)
        table = [text for text in made(codec, 3000) if text]
        codec = learnt(ColumnKind.TEXT, table, pii)

        assert not set(made(codec, 1000)) & set(table)

    @pytest.mark.parametrize(
        ("pii", "pattern"),
        [
            ("name", r"\S+ \S+"),
            ("email", r"[a-z.]+\d+@example\.(com|org|net)"),
            ("address", r"\d{1,4} \S+ \S+\n\D+, [A-Z]{2} \d{5}"),
            ("street", r"\d{1,4} \S+ \S+"),
            ("city", r"([A-Z][a-z]+ )?[A-Z]\S+"),
            ("company", r"[A-Z].+"),
            ("url", r"https://www\.[a-z-]+\.example/"),
            ("username", r"[a-z.]+\d+"),
        ],
    )
    def test_of_a_known_kind_look_like_it_and_differ(self, pii, pattern):
        texts = made(learnt(ColumnKind.TEXT, ["Ab\nC", "Bc\nD"] * 20, pii), 500)

        assert all(re.fullmatch(pattern, text) for text in texts)
        assert len(set(texts)) > 300

    @pytest.mark.parametrize(
        ("pii", "column", "like", "pattern"),
        [
            ("name", "first_name", "Ada", r"\w+(-\w+)?"),
            ("name", "LastName", "HOPPER", r"[A-Z’'-]+"),
            ("name", "author", "Hopper, Grace", r"\S+, \S+"),
            ("name", "name", "grace hopper", r"[a-z]\S+ [a-z]\S+"),
            ("address", "street", "Am Markt 7", r"\d{1,4} \S+ \S+"),
            ("address", "address", "7 Main St, Rye, NY", r"\d{1,4} \S+ \S+, \D+, [A-Z]{2} \d{5}"),
        ],
    )
    def test_of_a_known_kind_are_as_much_of_it_as_the_table_has(self, pii, column, like, pattern):
        texts = made(learnt(ColumnKind.TEXT, [like] * 20, pii, column), 500)

        assert all(re.fullmatch(pattern, text) for text in texts)

    def test_of_first_names_are_such_though_the_table_has_all_there_are(self):
        names = sorted({*personal_texts("first_name", 100_000, RNG).to_pylist()})

        texts = made(learnt(ColumnKind.TEXT, names, "name"), 1000)

        assert not set(texts) & set(names)
        assert all(re.fullmatch(r"\w+-\w+", text) for text in texts)

    def test_keep_the_outline_of_codes(self):
        phones = [f"+39 {a:03} {b:04}" for a, b in RNG.integers(0, 999, (500, 2))]

        texts = made(learnt(ColumnKind.TEXT, phones, "phone"), 100)

        assert all(len(text) == 12 and text[0] == "+" and text[3] == " " for text in texts)

    def test_keep_the_number_of_words_of_prose(self):
        prose = [f"the {n} quick brown foxes jump" for n in range(500)]

        texts = made(learnt(ColumnKind.TEXT, prose), 100)

        assert {len(text.split()) for text in texts} == {6}

    def test_keep_the_pattern_that_enough_texts_share(self):
        texts = ["", None, *(f"Zürich {n}" for n in range(100, 999, 30)), *(f"No {n}" for n in range(4))]
        cut = pa.chunked_array([pa.array(texts)[1:]])  # of a longer array, as a hold-out leaves it

        codec = learnt(ColumnKind.TEXT, cut)

        assert codec.pattern_counts == (30,)
        assert {re.sub("[0-9]", "9", text) for text in made(codec, 50)} == {"Zürich 999"}

    @pytest.mark.parametrize(
        ("text", "pii"), [("a line of some words", None), ("Ab 12", None), ("Ada Lovelace", "name")]
    )
    def test_are_empty_as_often_as_in_the_table(self, text, pii):
        codec = learnt(ColumnKind.TEXT, [*([""] * 60), *([text] * 80), *([None] * 60)], pii)

        texts = made(codec, 4000)

        assert abs(texts.count(None) / 4000 - 0.3) < 0.04
        assert abs(texts.count("") / len([one for one in texts if one is not None]) - 60 / 140) < 0.05
        assert "empty_share" not in learnt(ColumnKind.TEXT, [*([""] * 4), *([text] * 80)], pii).model_dump()

    def test_are_made_of_texts_that_are_all_empty(self):
        assert len(made(learnt(ColumnKind.TEXT, [""] * 50), 10)) == 10


@pytest.mark.parametrize("written", [str.upper, str.lower, lambda text: f" {text.replace(' ', '  ')} "], ids="Aa ")
@pytest.mark.parametrize("pii", ["name", "address", None])
def test_a_text_of_the_table_is_not_made_up_in_another_case_or_with_other_blanks(pii, written):
    rng = np.random.default_rng(5)
    texts = personal_texts(pii, 3000, rng).to_pylist() if pii else [f"Ab {n:03}" for n in rng.permutation(1000)[:800]]

    codec = learnt(ColumnKind.TEXT, [written(text) for text in texts], pii)

    assert codec.seen.contains(np.array(texts, dtype=object)).all()
    assert not {folded_by_hand(text) for text in made(codec, 3000)} & {folded_by_hand(text) for text in texts}


def folded_by_hand(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower()).strip()


def test_what_an_earlier_file_has_seen_is_still_known_as_it_was_written():
    old = Seen(key="0123456789abcdef", bitmap=Seen.nothing(RNG).bitmap)
    old = old.of(old.hashes(pa.array(["Ada Lovelace"])), 0.01)

    assert old.contains(np.array(["Ada Lovelace", "ADA LOVELACE"], dtype=object)).tolist() == [True, False]


def test_of_the_longest_text_no_more_is_kept_than_how_many_binary_digits_its_length_has():
    texts = [f"the patient {n} has told us of it" for n in range(100)]

    kept = {learnt(ColumnKind.TEXT, [*texts, "x" * length]).longest for length in (64, 90, 127)}

    assert kept == {127}
