import unicodedata

import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import (
    Assessment,
    Associations,
    BinKind,
    Fidelity,
    LeftOut,
    Level,
    Measure,
    NoUtility,
)
from synthgen_ray.quality.page import render
from synthgen_ray.quality.page.verdict import judgement
from tests.unit.quality.page.assessments import (
    NONE,
    a_bin,
    a_column,
    a_finding,
    a_pair,
    an_about,
    an_assessment,
    an_attack,
    without_holdout,
)
from tests.unit.quality.page.reading import Page, with_class
from tests.unit.quality.tables import given_columns, given_table, only_copies

HOSTILE = {
    "markup": "</style></title></svg><script>alert(1)</script>",
    "attribute": "\"'><img src=x onerror=alert(1)>",
    "template": "{{ 7 * 7 }}{% endfor %}",
    "direction": "\u202egnp.\u2066evil\u200f",
    "controls": "a\x00b\x1b[31mc\ud800\n\t",
    "long": "x" * 10_000,
    "empty": "",
    "comment": "<!-- -->]]>&amp;&#x3c;b&#x3e;",
}


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render(an_assessment(), an_about()))


def empty() -> Assessment:
    """Of a table that has nothing to compare."""
    whole = an_assessment()
    return an_assessment(
        scope=whole.scope.model_copy(update={"columns": (), "left_out": (), "holdout_rows": None}),
        verdict=(),
        fidelity=Fidelity(**dict.fromkeys(Fidelity.model_fields, NONE)),
        columns=(),
        pairs=(),
        associations=Associations(columns=(), real=(), synthetic=(), difference=()),
        missing_together=(),
        utility=None,
        privacy=only_copies(NONE),
    )


def hostile(name: str) -> Assessment:
    columns = (a_column(name, 0), a_column(name, 1, (a_bin(BinKind.CATEGORY, name, 0.4, 0.6),)))
    whole = an_assessment((name, name))
    return an_assessment(
        (name, name),
        columns=columns,
        scope=whole.scope.model_copy(update={"left_out": (LeftOut(column=name, kind=ColumnKind.TEXT, reason=name),)}),
        verdict=(a_finding(Level.BAD, "fidelity", f"{name} is far off.", f"Leave {name} out."),),
        utility=whole.utility.model_copy(update={"target": name, "chosen": name, "tested_on": name}),
        privacy=whole.privacy.model_copy(update={"inference": (an_attack("inference", name, 0.1),)}),
    )


class TestWhatIsSaid:
    def test_everything_of_the_assessment_is_on_the_page(self, page):
        whole = an_assessment()

        told = [part for finding in whole.verdict for part in (finding.sentence, finding.advice)]
        told += [definition.meaning.replace("`", "") for definition in whole.definitions.values()]
        told += [definition.source for definition in whole.definitions.values()]
        told += [f"{measure.value:.3f}" for _, measure in whole.fidelity if measure.value is not None]
        told += [f"{measure.ceiling:.3f}" for _, measure in whole.fidelity if measure.ceiling is not None]
        told += [f"{column.name} {column.kind.value}" for column in whole.columns]
        told += [" × ".join(pair.columns) for pair in whole.pairs]
        told += [whole.scope.left_out[0].column, whole.scope.left_out[0].reason]
        told += ["29,305", "32,561", "3,256"]
        told += [
            "income that learnt from synthetic rows alone gets 0.887",
            "0.874 to 0.899",
            whole.utility.chosen,
            "Tried on: hold-out.",
        ]
        told += ["age, country, education", "1.2% risk 0.0% to 2.7%", "3.4% (2.5% to 4.6%) of 1,000 times"]
        told += ["age 2.1% 0.0% to 3.6% 3.4% 2.2% 1.1% 1,000", "customer_id id 2.0% 3.0%"]
        assert [text for text in told if text not in page.text] == []

    def test_what_the_model_is_and_what_makes_it_again_is_on_the_page(self, page):
        told = ["Census, a tvae model of adult, version 0", "epochs 300", "compress_dims [128, 128]", "reconstruction"]
        told += ["Seed of the rows 42", "Seed of this report 7", "torch 2.13.0", "2026-02-25 10:00 UTC"]
        assert [text for text in told if text not in page.text] == []

    def test_rows_made_under_conditions_are_told_of_with_these(self):
        conditions = {"income": ">50K", "age": {"min": 30}, "member": [True, None], "country": None}

        page = Page(render(an_assessment(), an_about(conditions=conditions)))

        told = ["32,561 synthetic rows made under conditions, compared with 29,305 of the real rows that fit the"]
        told += ["and 3,256 of those that training never saw", "Rows 32,561", 'Condition on income ">50K"']
        told += ['Condition on age {"min": 30}', "Condition on member [true, null]", "Condition on country null"]
        assert [text for text in told if text not in page.text] == []

    def test_without_conditions_none_are_told_of(self, page):
        assert "condition" not in page.text.lower()
        assert "Rows 32,561" in page.text

    def test_the_verdict_comes_first_then_scores_then_the_rest(self, page):
        sections = [attributes.get("id") for tag, attributes in page.tags if tag == "section" and "id" in attributes]

        assert [tag for tag, _ in page.tags if tag in ("h1", "nav", "main")] == ["h1", "nav", "main"]
        assert sections == ["scores", "columns", "pairs", "missing", "utility", "privacy", "training", "definitions"]

    def test_what_was_found_on_real_tables_has_a_page(self):
        found = assess(given_table(0), given_table(1, shift=0.2), given_table(2), given_columns())

        text = Page(render(found, an_about())).text

        assert [finding.sentence for finding in found.verdict if finding.sentence not in text] == []

    def test_what_was_not_measured_is_named_and_not_drawn(self, page):
        assert "Not measured, because these tables do not have it: Unique keys." in page.text

    def test_what_the_synthetic_table_gets_when_it_is_as_short_as_the_hold_out_stands_under_its_own_score(self):
        whole = an_assessment()
        shapes = whole.fidelity.column_shapes.model_copy(update={"matched": 0.949})
        fidelity = whole.fidelity.model_copy(update={"column_shapes": shapes})

        text = Page(render(an_assessment(fidelity=fidelity), an_about())).text

        assert "0.952 cut to 3,256 rows: 0.949 hold-out 0.991 Pair trends" in text

    def test_no_definition_is_cut_or_shows_backticks(self, page):
        meaning = f"{'A long one. ' * 50}See `matched`."
        definition = an_assessment().definitions["copies"].model_copy(update={"meaning": meaning})

        html = render(an_assessment(definitions={**an_assessment().definitions, "copies": definition}), an_about())

        assert "`" not in page.text
        assert meaning.replace("`", "") in Page(html).text

    def test_why_utility_was_not_measured_is_said(self):
        lacking = NoUtility(target="income", was_named=False, reason="there is no other column to learn it from")

        page = Page(render(an_assessment(utility=None, no_utility=lacking), an_about()))

        assert "Not measured of income: there is no other column to learn it from." in page.text

    @pytest.mark.parametrize(
        ("findings", "headline"),
        [
            ([(Level.GOOD, "privacy")], "Good to hand out"),
            ([(Level.GOOD, "privacy"), (Level.WARN, "utility")], "Usable with care: 1 point to weigh"),
            ([(Level.WARN, "privacy"), (Level.WARN, "utility")], "Usable with care: 2 points to weigh"),
            ([(Level.WARN, "privacy"), (Level.BAD, "fidelity")], "Not ready"),
            ([(Level.BAD, "privacy"), (Level.GOOD, "fidelity")], "Do not hand this table out"),
            ([], "Nothing could be judged"),
        ],
    )
    def test_the_headline_follows_the_worst_finding(self, findings, headline):
        verdict = tuple(a_finding(level, area, "So it is.", "") for level, area in findings)

        page = Page(render(an_assessment(verdict=verdict), an_about()))

        assert f"Synthetic data report {headline}" in page.text


class TestWithoutHoldout:
    def test_nobody_is_told_that_the_table_is_private(self):
        page = Page(render(without_holdout(), an_about()))

        assert "Synthetic data report Privacy is not measured" in page.text
        assert "Good to hand out" not in page.text
        assert "Only copies could be counted." in page.text
        assert "Without a hold-out one half of the real rows beside the other" in page.text
        assert with_class(page, "ceiling") == []

    def test_good_news_alone_do_not_make_it_good(self):
        good = (a_finding(Level.GOOD, "privacy", "No row is a copy.", ""),)

        level, _ = judgement(without_holdout().model_copy(update={"verdict": good}))

        assert level is Level.WARN

    def test_a_leak_that_was_found_is_said_all_the_same(self):
        leak = (a_finding(Level.BAD, "privacy", "A tenth of the rows are copies.", "Train anew."),)

        page = Page(render(without_holdout().model_copy(update={"verdict": leak}), an_about()))

        assert "Do not hand this table out" in page.text


class TestSafety:
    @pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
    def test_names_of_others_are_text_and_never_markup(self, name):
        about = an_about(
            model_name=name,
            dataset_name=name,
            config={name: [name]},
            conditions={name: name, f"{name} ": [name, None], f"{name}  ": {"min": name}},
            versions={name: name},
            losses=((0, {name: 1.0}), (1, {name: 0.5})),
        )

        html = render(hostile(name), about)

        page = Page(html)
        assert {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object", "b", "link"} == set()
        assert [key for _, attributes in page.tags for key in attributes if key.startswith("on")] == []
        assert [c for c in html if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs")] == []
        assert max(map(len, page.text.split())) < 500
        assert len(html.encode()) < 200_000

    def test_the_page_loads_nothing_and_runs_nothing(self, page):
        assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "object", "image", "use"} == set()
        assert page.attributes("src") == []
        assert all(href.startswith("#") and href[1:] in page.attributes("id") for href in page.attributes("href"))
        assert not any(word in "".join(page.styles) for word in ("url(", "@import", "@font-face"))

    def test_the_page_carries_the_policy_under_which_it_is_served(self, page):
        policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

        assert ("meta", {"http-equiv": "Content-Security-Policy", "content": policy}) in page.tags

    def test_every_picture_says_what_it_shows(self, page):
        pictures = [at for at, (_, attributes) in enumerate(page.tags) if attributes.get("role") == "img"]

        assert [page.tags[at + 1][0] for at in pictures] == ["title"] * len(pictures)


class TestBounds:
    def test_the_same_assessment_gives_the_same_bytes(self):
        assert render(an_assessment(), an_about()) == render(an_assessment(), an_about())

    def test_a_page_of_400_columns_stays_below_two_megabytes(self):
        names = tuple(f"a column with a long name, number {place}" for place in range(400))

        pairs = (a_pair(*names[:2]),) * 79_800
        html = render(an_assessment(names, pairs=pairs), an_about())

        assert len(html.encode()) < 2_000_000
        text = Page(html).text
        assert "The next 18 distributions" in text
        assert "the 16 of 400 columns with the strongest associations" in text
        assert "79,750 more pairs are in the report's JSON." in text

    def test_findings_without_number_are_cut(self):
        many = tuple(a_finding(Level.WARN, "fidelity", f"Point {place}.", "") for place in range(50))

        text = Page(render(an_assessment(verdict=many), an_about())).text

        assert "Point 19." in text
        assert "Point 20." not in text
        assert "30 more findings are in the report's JSON." in text

    def test_a_table_with_nothing_to_compare_has_a_page(self):
        page = Page(render(empty(), an_about(losses=(), config={}, versions={}, seed=None)))

        told = ["Not judged on these tables.", "No column could be compared", "There are no two columns to compare."]
        told += ["No value that could be told of is missing", "Not measured: there is nothing to learn", "no curve"]
        assert [text for text in told if text not in page.text] == []

    def test_measures_without_a_value_are_dashes(self):
        column = a_column("age").model_copy(
            update={"shape": NONE, "accuracy": Measure(value=None, ceiling=0.98), "coverage": NONE}
        )

        page = Page(render(an_assessment(columns=(column,)), an_about()))

        assert "age integer – – – 0.980 1.000 –" in page.text
