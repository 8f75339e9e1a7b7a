import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.errors import JobError
from synthgen_ray.synthesizers.columns.identifier import CodeCodec, SequenceCodec
from synthgen_ray.synthesizers.columns.permutation import permute
from synthgen_ray.synthesizers.columns.seen import Seen
from synthgen_ray.synthesizers.columns.shape import Shape
from synthgen_ray.synthesizers.columns.text import TextCodec

RNG = np.random.default_rng(3)


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

    seen = Seen.learn(pa.array(texts), RNG)

    assert seen.contains(texts).all()
    assert seen.contains(np.array([f"stranger {n}" for n in range(5000)], dtype=object)).mean() < 0.1


class TestCodes:
    @pytest.mark.parametrize("count", [90, 3000])
    def test_are_unique_across_chunks_and_new_even_in_a_crowded_shape(self, count):
        table = [f"C{n:03}" for n in range(900)]
        codec = CodeCodec.learn("id", pa.chunked_array([table]), 5, RNG)

        codes = made(codec, count) + made(codec, count, start=count)

        assert len(set(codes)) == 2 * count
        assert not set(codes) & set(table)
        assert all(code.startswith("C") and code[1:].isdigit() for code in codes)

    def test_do_not_depend_on_the_chunk_they_are_made_in(self):
        codec = CodeCodec.learn("id", pa.chunked_array([[f"{n:08x}" for n in range(500)]]), 5, RNG)

        assert made(codec, 100) == made(codec, 60) + made(codec, 40, start=60)

    def test_learn_from_texts_of_any_length(self):
        table = ["", "x" * 5000, *[f"{n}" for n in range(1000)]]

        codes = made(CodeCodec.learn("id", pa.chunked_array([table]), 5, RNG), 2000)

        assert len(set(codes)) == 2000
        assert not set(codes) & set(table)


class TestSequences:
    @pytest.mark.parametrize(
        ("table", "expected"),
        [
            (pa.array([5, 9, 7]), [10, 11]),
            (pa.array([2**63 - 1, 2**63 - 2]), [2**63 - 3, 2**63 - 4]),
            (pa.array([-(2**63), 2**63 - 50]), [2**63 - 49, 2**63 - 48]),
            (pa.array([2**64 - 1], pa.uint64()), [2**64 - 2, 2**64 - 3]),
            (pa.array([1.0, None, 3.0]), [4.0, 5.0]),
        ],
    )
    def test_go_on_where_there_is_room(self, table, expected):
        codec = SequenceCodec.learn("id", pa.chunked_array([table])).model_copy(update={"null_share": 0.0})

        assert made(codec, 2) == expected

    def test_say_when_the_type_is_exhausted(self):
        codec = SequenceCodec.learn("id", pa.chunked_array([pa.array(range(-100, 100), pa.int8())]))

        with pytest.raises(JobError) as caught:
            made(codec, 100)

        assert caught.value.code == "ids_exhausted"


class TestTexts:
    @pytest.mark.parametrize("pii", ["name", "email", "address", "company", None])
    def test_are_none_of_the_table(self, pii):
        codec = TextCodec.learn("x", pa.chunked_array([["a", "b"] * 20]), pii, 5, RNG)
        table = [text for text in made(codec, 3000) if text]
        codec = TextCodec.learn("x", pa.chunked_array([table]), pii, 5, RNG)

        assert not set(made(codec, 1000)) & set(table)

    def test_keep_the_outline_of_codes(self):
        phones = [f"+39 {a:03} {b:04}" for a, b in RNG.integers(0, 999, (500, 2))]

        texts = made(TextCodec.learn("x", pa.chunked_array([phones]), "phone", 5, RNG), 100)

        assert all(len(text) == 12 and text[0] == "+" and text[3] == " " for text in texts)

    def test_keep_the_number_of_words_of_prose(self):
        prose = [f"the {n} quick brown foxes jump" for n in range(500)]

        texts = made(TextCodec.learn("x", pa.chunked_array([prose]), None, 5, RNG), 100)

        assert {len(text.split()) for text in texts} == {6}

    def test_keep_an_outline_that_enough_texts_share_and_its_letters_beyond_ascii(self):
        texts = ["", None, *(f"Zürich {n}" for n in range(10, 40)), *(f"No {n}" for n in range(4))]
        cut = pa.chunked_array([pa.array(texts)[1:]])  # of a longer array, as a hold-out leaves it

        codec = TextCodec.learn("x", cut, None, 5, RNG)

        assert (codec.outlines, codec.outline_counts) == (("Aüaaaa 99",), (30,))

    def test_are_made_of_texts_that_are_all_empty(self):
        assert len(made(TextCodec.learn("x", pa.chunked_array([[""] * 50]), None, 5, RNG), 10)) == 10
