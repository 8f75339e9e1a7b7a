import re

import pytest

from synthgen_ray.quality.assessment import Bin, BinKind, Measure
from synthgen_ray.quality.page.distribution import distribution
from synthgen_ray.quality.page.heat_map import heat_map, most_telling
from synthgen_ray.quality.page.score_bar import score_bar
from synthgen_ray.quality.page.training_curve import training_curves
from tests.unit.quality.page.assessments import a_bin, a_column, an_about, some_associations
from tests.unit.quality.page.reading import Page, with_class


def test_the_areas_of_a_histogram_are_as_high_as_the_shares_of_real_rows():
    bins = (
        Bin(kind=BinKind.RANGE, label=None, low=0.0, high=1.0, real=0.5, synthetic=0.25),
        Bin(kind=BinKind.RANGE, label=None, low=1.0, high=9.0, real=0.25, synthetic=0.5),
        a_bin(BinKind.NULL, None, 0.25, 0.25),
    )

    areas = with_class(Page(distribution(a_column("n", 0, bins))), "real")

    assert [float(area["height"]) for area in areas] == [114.0, 57.0, 57.0]


def test_moments_are_marked_by_their_dates():
    moment = Bin(
        kind=BinKind.RANGE, label=None, low="2020-01-01T00:00:00", high="2021-06-01T12:30:00", real=1, synthetic=1
    )

    text = Page(distribution(a_column("when", 0, (moment,)))).text

    assert "2020-01-01" in text
    assert "2021-06-01 12:30" in text


def test_bins_of_one_whole_number_each_are_marked_by_it():
    bins = tuple(
        Bin(kind=BinKind.RANGE, label=None, low=year - 0.5, high=year + 0.5, real=0.5, synthetic=0.5)
        for year in (2007, 2008)
    )

    texts = with_class(Page(distribution(a_column("year", 0, bins))), "label")

    assert [(text["x"], text["text-anchor"]) for text in texts[1:]] == [("80", "middle"), ("240", "middle")]
    assert "2007: real 50.0%" in distribution(a_column("year", 0, bins))


def test_categories_beyond_the_tenth_are_drawn_together():
    bins = tuple(a_bin(BinKind.CATEGORY, f"c{place}", 0.05, 0.05) for place in range(20))

    svg = distribution(a_column("c", 1, bins))

    assert len(with_class(Page(svg), "real")) == 11
    assert "others: real 50.0%, synthetic 50.0%" in svg


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
