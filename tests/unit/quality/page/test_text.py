import pytest

from synthgen_ray.quality.assessment import Measure
from synthgen_ray.quality.page import formatting
from synthgen_ray.quality.page.text import name, prose, visible


def test_a_long_text_keeps_its_beginning_and_its_end():
    assert visible("a" * 5_000 + "the end!", 20) == "a" * 11 + "…the end!"
    assert visible("a" * 20, 20) == "a" * 20
    assert visible("a" + " " * 5_000 + "b" * 5_000, 20) == "a …bbbbbbbb"
    assert visible("a" * 5_000 + "the\nend!", 20) == "a" * 11 + "…the end!"


def test_what_has_no_shape_is_shown_as_a_mark():
    assert visible("a\x00b\u202ec\ud800") == "a\ufffdb\ufffdc\ufffd"
    assert visible("two\r\n lines\there") == "two lines here"


@pytest.mark.parametrize("text", ["می\u200cخواهم", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "Donau\u00adschiff"])
def test_what_joins_letters_or_lets_them_break_stays(text):
    assert visible(text) == text


@pytest.mark.parametrize("mark", "\u200e\u200f\u061c\u202a\u202e\u2066\u2069\ufeff")
def test_marks_of_direction_are_shown_as_marks(mark):
    assert visible(f"a{mark}b") == "a\ufffdb"


def test_a_short_limit_leaves_the_beginning_and_the_end():
    assert [visible("abcdefghij", limit) for limit in (2, 5, 9)] == ["…j", "ab…ij", "abcd…ghij"]


def test_a_name_is_never_nothing():
    assert name("") == name(" \n") == name("\u200d\u00ad") == "<bdi>(empty)</bdi>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0, "0.0%"), (0.0001, "<0.1%"), (0.1234, "12.3%"), (0.9999, ">99.9%"), (1.0, "100.0%")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(value, shown):
    assert formatting.share(value) == shown


def test_what_stands_between_backticks_is_code_and_never_markup():
    assert prose("Keep `refine` on & wait.") == "Keep <code>refine</code> on &amp; wait."
    assert prose("`<b>`") == "<code>&lt;b&gt;</code>"
    assert prose("one ` <b>") == "one ` &lt;b&gt;"


def test_a_sentence_keeps_its_predicate_however_long_the_names_in_it_are():
    names = ", ".join(f"'{'a long name ' * 8}{place}'" for place in range(5))

    assert prose(f"The columns {names} are far off.") == f"The columns {names} are far off.".replace("'", "&#39;")
    assert prose(f"{'x' * 10_000} is far off.") == f"{'x' * 39}…{'x' * 8} is far off."


@pytest.mark.parametrize(("difference", "shown"), [(0.0301, "+3.0"), (-0.002, "−0.2"), (-0.0001, "0.0"), (0.0, "0.0")])
def test_a_difference_of_shares_is_in_points_and_has_no_sign_where_it_is_nothing(difference, shown):
    assert formatting.points(difference) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (17.0, "17"),
        (-0.5, "−0.5"),
        (2006.5, "2006.5"),
        (38.54321, "38.54"),
        (99_999.0, "100k"),
        (1_234_567.0, "1.235M"),
        (-0.0, "0"),
        (9.5e14, "950T"),
        (1.5e16, "1.5e+16"),
        (-1e300, "−1e+300"),
        ("2026-02-25", "2026-02-25"),
        ("2026-02-25T00:00:00Z", "2026-02-25"),
        ("2026-02-25T10:30:00Z", "2026-02-25 10:30"),
    ],
)
def test_an_edge_is_short(value, shown):
    assert formatting.edge(value) == shown


def test_no_number_is_less_than_nothing_by_its_rounding():
    assert (formatting.score(-0.0001), formatting.share(-0.0001)) == ("0.000", "0.0%")


def test_an_interval_is_there_where_both_ends_are():
    assert formatting.score_interval(Measure(value=0.5, low=0.4, high=0.6)) == "0.400 to 0.600"
    assert formatting.score_interval(Measure(value=0.5)) == ""
