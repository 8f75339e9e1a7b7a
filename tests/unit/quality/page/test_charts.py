import re
from itertools import pairwise

import pytest

from synthgen_ray.quality.assessment import Bin, BinKind, Edge, Measure
from synthgen_ray.quality.page.distribution import distribution
from synthgen_ray.quality.page.heat_map import heat_map, most_telling
from synthgen_ray.quality.page.score_bar import score_bar
from synthgen_ray.quality.page.svg import fitted, label_width
from synthgen_ray.quality.page.training_curve import training_curves
from tests.unit.quality.page.assessments import a_bin, a_column, an_about, some_associations
from tests.unit.quality.page.reading import Page, with_class


def a_range(low: Edge, high: Edge, real: float, synthetic: float) -> Bin:
    return Bin(kind=BinKind.RANGE, label=None, low=low, high=high, real=real, synthetic=synthetic)


def test_the_areas_of_a_histogram_are_the_shares_of_real_rows():
    bins = (
        a_range(0.0, 1.0, 0.5, 0.25),
        a_range(1.0, 3.0, 0.2, 0.2),
        a_range(3.0, 4.0, 0.1, 0.1),
        a_range(4.0, 104.0, 0.1, 0.25),
        a_bin(BinKind.NULL, None, 0.1, 0.2),
    )

    areas = with_class(Page(distribution(a_column("n", 0, bins))), "real")

    sizes = [float(area["width"]) * float(area["height"]) for area in areas]
    assert [size / sum(sizes) for size in sizes] == pytest.approx([0.5, 0.2, 0.1, 0.1, 0.1], rel=0.01)


def test_bins_are_as_wide_as_they_are_and_the_axis_is_dashed_below_those_that_are_cut():
    bins = (a_range(0.0, 110.0, 0.4, 0.4), a_range(110.0, 1436.0, 0.3, 0.3), a_range(1436.0, 1656.0, 0.2, 0.2))
    bins += (a_range(1656.0, 1766.0, 0.1, 0.1),)

    page = Page(distribution(a_column("loss", 0, bins)))

    widths = [float(area["width"]) for area in with_class(page, "real")]
    (dashed,) = with_class(page, "dashed")
    assert [width / widths[0] for width in widths] == pytest.approx([1, 4, 2, 1])
    assert dashed["d"] == "M40.0 134.0h160.0"
    assert all(edge in page.text.split() for edge in ("0", "110", "1436", "1766"))


def test_bins_of_one_width_have_no_dashes():
    assert "dashed" not in distribution(a_column("n"))


def test_what_most_rows_have_is_cut_and_its_shares_are_written_beside_it():
    bins = (a_range(0.0, 1.0, 0.95, 0.97), a_range(1.0, 2.0, 0.05, 0.03))

    page = Page(distribution(a_column("gain", 0, bins)))

    heights = [float(area["height"]) for area in with_class(page, "real")]
    assert heights == pytest.approx([114.0, 114.0 / 5])
    assert "real 95.0%" in page.text
    assert "synthetic 97.0%" in page.text
    assert len(with_class(page, "gap")) == 1


@pytest.mark.parametrize(
    "edges",
    [
        (-1.7e308, 0.0, 1.7e308),
        (5e-324, 1e-323, 1e300),
        ("0001-01-01", "2020-01-01", "9999-12-31T23:59:59"),
        (3.0, 3.0),
    ],
    ids=["huge", "tiny", "moments", "constant"],
)
def test_bins_of_any_size_can_be_drawn(edges):
    bins = tuple(a_range(low, high, 0.5, 0.5) for low, high in pairwise(edges))

    page = Page(distribution(a_column("n", 0, bins)))

    assert not re.search("nan|inf", " ".join(filter(None, page.attributes("d") + page.attributes("x"))))
    assert all(0 <= float(area["x"]) <= 320 for area in with_class(page, "real"))


def test_the_labels_of_an_axis_have_room_between_them():
    bins = tuple(a_range(1e6 + place, 1e6 + place + 1.5, 0.05, 0.05) for place in range(20))

    page = Page(distribution(a_column("n", 0, bins)))

    labels = [float(text["x"]) for text in with_class(page, "label")[1:]]
    assert len(labels) >= 3
    assert min(later - place for place, later in pairwise(sorted(labels))) > label_width("1M")


def test_moments_are_marked_by_their_dates():
    moment = a_range("2020-01-01T00:00:00", "2021-06-01T12:30:00", 1, 1)

    text = Page(distribution(a_column("when", 0, (moment,)))).text

    assert "2020-01-01" in text
    assert "2021-06-01 12:30" in text


def test_bins_of_one_whole_number_each_are_marked_by_it():
    bins = tuple(a_range(year - 0.5, year + 0.5, 0.5, 0.5) for year in (2007, 2008))

    texts = with_class(Page(distribution(a_column("year", 0, bins))), "label")

    assert [(text["x"], text["text-anchor"]) for text in texts[1:]] == [("80", "middle"), ("240", "middle")]
    assert "2007: real 50.0%" in distribution(a_column("year", 0, bins))


def test_categories_beyond_the_tenth_are_drawn_together():
    bins = tuple(a_bin(BinKind.CATEGORY, f"c{place}", 0.05, 0.05) for place in range(20))

    svg = distribution(a_column("c", 1, bins))

    assert len(with_class(Page(svg), "real")) == 11
    assert "others: real 50.0%, synthetic 50.0%" in svg


def test_each_category_has_its_share_beside_it_and_what_the_synthetic_rows_have_more():
    text = Page(distribution(a_column("c", 1, (a_bin(BinKind.CATEGORY, "a", 0.6, 0.65),)))).text

    assert "a 60.0% +5.0" in text


@pytest.mark.parametrize("kind", [BinKind.REST, BinKind.NULL])
def test_bars_of_categories_are_seen_beside_all_that_is_left_over(kind):
    bins = (a_bin(BinKind.CATEGORY, "a", 0.02, 0.01), a_bin(kind, None, 0.98, 0.99))

    page = Page(distribution(a_column("c", 1, bins)))

    named, left_over = [float(bar["width"]) for bar in with_class(page, "real")]
    assert named == left_over / 2
    assert len(with_class(page, "gap")) == 1
    assert "98.0% +1.0" in page.text


def test_bars_that_are_as_long_as_they_should_be_have_no_gap():
    assert "gap" not in distribution(a_column("c", 1))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Not-in-family", "Not-in-family"),
        ("東京都千代田区丸の内一丁目", "東京都…内一丁目"),
        ("COMMUNICATIONS", "COMM…TIONS"),
        ("W" * 14, "WWW…WWWW"),
        ("x" * 10_000, "xxxxxx…xxxxxx"),
        ("\u0301" * 60, "\u0301" * 39 + "…" + "\u0301" * 8),
    ],
)
def test_a_label_is_cut_by_its_width(text, shown):
    assert fitted(text, 96.0) == shown


def test_a_column_without_bins_can_be_drawn():
    column = a_column("c").model_copy(update={"distribution": ()})

    assert "Nothing to draw." in distribution(column)


def test_a_score_is_drawn_from_its_best_where_that_lies_between():
    (bar,) = with_class(Page(score_bar(Measure(value=0.75, low=0.7, high=0.8, ceiling=0.5), 0.5)), "bar synthetic")

    assert (bar["x"], bar["width"]) == ("50.00%", "25.00%")


@pytest.mark.parametrize(("value", "width"), [(-3.0, "0.00%"), (0.25, "25.00%"), (7.0, "100.00%")])
def test_a_score_outside_its_scale_is_drawn_at_the_end(value, width):
    (bar,) = with_class(Page(score_bar(Measure(value=value))), "bar synthetic")

    assert bar["width"] == width


def test_a_heat_map_shows_the_sixteen_columns_that_say_most():
    associations = some_associations(tuple(f"c{place}" for place in range(40)))

    svg = heat_map(associations, "real")

    assert len(most_telling(associations)) == 16
    assert len(with_class(Page(svg), "cell")) == 16 * 15
    assert len(with_class(Page(svg), "itself")) == 16


def test_a_notable_difference_has_a_sign_beside_its_colour():
    associations = some_associations(("a", "b"))
    lost = associations.model_copy(update={"difference": ((0.0, -0.5), (-0.05, 0.0))})

    svg = heat_map(lost, "difference")

    assert [square["fill-opacity"] for square in with_class(Page(svg), "under")] == ["1", "0.12"]
    assert len(with_class(Page(svg), "sign")) == 1


def test_a_long_training_is_thinned_and_keeps_its_last_loss():
    about = an_about(losses=tuple((epoch, {"loss": 1.0 * epoch}) for epoch in range(10_000)))

    ((name, svg),) = training_curves(about)

    (curve,) = with_class(Page(svg), "curve")
    assert name == "loss"
    assert len(curve["points"].split()) <= 300
    assert "to 9999 at epoch 9999" in svg


def test_a_training_of_one_epoch_has_a_curve():
    ((_, svg),) = training_curves(an_about(losses=((0, {"loss": 2.0}),)))

    assert not re.search("nan|inf", svg)
