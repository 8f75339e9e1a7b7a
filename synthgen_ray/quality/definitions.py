"""What each measure means, by the name of its field in an `Assessment`."""

from synthgen_ray.quality.assessment import Definition

SDMETRICS = "SDMetrics (DataCebo)"
ACCURACY = "Platzer and Reutterer 2021, arXiv:2104.00635"
GIOMI = "Giomi et al. 2023, PoPETs 2023(2)"
CERTAIN = " The verdict goes by `certain_risk`, less what one of so many attacks has by chance."
MOVER = "verdict: Donner and Zou 2012, Stat. Methods Med. Res. 21"
MATCHED = (
    " The verdict goes by `matched`: what as many synthetic rows get as were held out, or, where too few were, as half "
    "of the real rows, beside the other half (`halves`)."
)
TOLD = " Told in steps of k rows."
PART = " `matched` is that of as many synthetic rows as were held out." + TOLD

DEFINITIONS = {
    "column_shapes": Definition(
        title="Column shapes",
        meaning="How like each column's distribution is: 1 - the largest gap between the cumulative shares of numbers "
        "and moments, or 1 - half the sum of the gaps between the shares of categories; the mean over the columns."
        + MATCHED
        + TOLD,
        best=1,
        source=f"{SDMETRICS}, KSComplement and TVComplement",
    ),
    "pair_trends": Definition(
        title="Pair trends",
        meaning="Whether columns that go together in the real table (correlation over 0.5, Cramér's V over 0.3) do "
        "so in the synthetic one: 1 - half the difference of their correlations, or 1 - half the sum of the gaps "
        "between the shares of their combinations; the mean over them, on all rows, of wide tables on some. Pairs "
        "that lack most of their ceiling come first." + TOLD,
        best=1,
        source=f"{SDMETRICS}, CorrelationSimilarity and ContingencySimilarity; as there, numbers beside categories are "
        "cut into ten bins of each table's own range, so that a single extreme value moves all bins",
    ),
    "accuracy_1way": Definition(
        title="Accuracy of columns",
        meaning="1 - half the sum of the gaps between the shares of ten bins, of a column; counted on all rows. Up to "
        "ten numbers have a bin each; of more, those that a tenth of the rows have, and the others are cut into bins "
        "of as many rows. Of categories the ten most frequent ones have a bin each." + PART,
        best=1,
        source=ACCURACY,
    ),
    "accuracy_2way": Definition(
        title="Accuracy of pairs",
        meaning="1 - half the sum of the gaps between the shares of ten by ten bins, of two columns; counted on all "
        "rows, of wide tables for some pairs. The verdict goes by it where no pair is related closely enough for pair "
        "trends." + PART,
        best=1,
        source=ACCURACY,
    ),
    "accuracy_3way": Definition(
        title="Accuracy of triples",
        meaning="1 - half the sum of the gaps between the shares of ten by ten by ten bins, of three columns; counted "
        "on all rows, of tables of more than 19 columns for some triples." + PART,
        best=1,
        source=ACCURACY,
    ),
    "validity": Definition(
        title="Validity",
        meaning="The share of synthetic values within the real range, or among the real categories: the range between "
        "the means of the k lowest and highest values, the categories that k rows have.",
        best=1,
        source=f"{SDMETRICS}, BoundaryAdherence and CategoryAdherence",
    ),
    "coverage": Definition(
        title="Coverage",
        meaning="The share of the real range, or of the real categories, that the synthetic table reaches; rare "
        "extremes and categories are not to be reached." + MATCHED,
        best=1,
        source=f"{SDMETRICS}, RangeCoverage and CategoryCoverage",
    ),
    "key_uniqueness": Definition(
        title="Unique keys",
        meaning="The share of synthetic rows with an id that no earlier row has.",
        best=1,
        source=f"{SDMETRICS}, KeyUniqueness",
    ),
    "missing_values": Definition(
        title="Missing values",
        meaning="1 - the gap between the shares of missing values; the mean over the columns that have any, ids and "
        "texts too, but for those of which fewer than k rows lack a value, or have one.",
        best=1,
        source=f"{SDMETRICS}, MissingValueSimilarity",
    ),
    "detection_auc": Definition(
        title="Detection",
        meaning="How often a gradient boosting tells which of two rows is real, after learning from others: 0.5 is "
        "chance, 1 is always. Equal rows are tried together, so that copies of real rows cannot be told from them.",
        best=0.5,
        source="Lopez-Paz and Oquab 2017, arXiv:1610.06545; interval: DeLong et al. 1988, of an area of 1 "
        "Clopper and Pearson 1934, times √2 since the folds learn from each other (Bengio and Grandvalet 2004)",
    ),
    "associations": Definition(
        title="Associations",
        meaning="How much each two columns say of each other, from 0 to 1, and the difference of the two tables: "
        "Cramér's V of the bins that accuracies go by, which hold k rows or more. It is told in steps, powers of two "
        "as large as k / (n √(p (1 - p) q (1 - q))) or larger: what k rows in a cell move V of columns of two values.",
        best=0,
        source="Cramér 1946, Mathematical Methods of Statistics, ch. 21",
    ),
    "missing_together": Definition(
        title="Missing together",
        meaning="The share of rows that lack a value in both of two columns, or in one; not told where fewer than k "
        "real rows, though not none, lack both, either one alone or none of the two.",
        best=0,
        source="counted",
    ),
    "utility": Definition(
        title="Utility",
        meaning="What a gradient boosting that learnt from synthetic rows knows of real rows that it has not seen (the "
        "area under its ROC curve, of several classes the mean, or R²); the ceiling is what one knows that learnt from "
        "the real rows. A synthetic target of one value is worth chance, and rare classes do not count. "
        "`lost` is the difference, with an interval of its own, by which the verdict goes.",
        best=1,
        source="Esteban et al. 2017, arXiv:1706.02633; intervals: DeLong et al. 1988, of an area of 1 Clopper and "
        "Pearson 1934, of R² resamples",
    ),
    "copies": Definition(
        title="Copies",
        meaning="The share of synthetic rows, or values of a text, that are in the real table; what other real rows "
        "have in common with it is the ceiling, in steps of k rows.",
        best=0,
        source="counted",
    ),
    "rare_copies": Definition(
        title="Copies of rare rows",
        meaning="The share of synthetic rows that are in the real table, though fewer than k times: what k rows have "
        "in common tells of none of them. The ceiling is what the real rows get, each beside the others, in steps of k "
        "rows.",
        best=0,
        source="counted",
    ),
    "near_copies": Definition(
        title="Near copies",
        meaning="The share of synthetic rows that are, in all columns but one, like some rows of the real table, "
        "though like fewer than k. The ceiling is what the real rows get, each beside the others. Where that is over "
        "0.2 rows are too much alike for it to tell of anybody, and the verdict does not go by it.",
        best=0,
        source="counted, on at most 50,000 rows; of more than 50 columns, 50 are left out in turn",
    ),
    "remembered": Definition(
        title="Remembered rows",
        meaning="The share of synthetic rows that lie closer to a row that training saw than chance explains. By "
        "chance the closest of all real rows is one of the hold-out as often as they are many; what that lacks was "
        "made after rows of the training table. The verdict goes by the low end of the interval.",
        best=0,
        source="counted, by the distance of Gower 1971; interval: Cochran 1977, theorem 2.2",
    ),
    "distance_share": Definition(
        title="Closer to training rows",
        meaning="The share of synthetic rows that lie closer to one of some rows that training saw than to any of as "
        "many that it did not see. Where the hold-out is small, most rows that training saw are left out, and even a "
        "table of nothing but remembered rows stays near 0.5.",
        best=0.5,
        source=f"{ACCURACY}; distance: Gower 1971",
    ),
    "distance_ratio": Definition(
        title="Nearest-neighbour distance ratio",
        meaning="The distance to the closest real row over that to the second closest, in the median: near 0 where "
        "single rows were copied. All rows that training saw are searched, for those held out too, whose ratio is the "
        "ceiling. The interval is that of the synthetic rows; a ceiling of few rows has chance in it as well.",
        best=1,
        source="Zhao et al. 2021, arXiv:2102.08369",
    ),
    "singling_out": Definition(
        title="Singling-out risk",
        meaning="How much more often a statement that fits just one synthetic row fits just one row that training "
        "saw than it would by chance; that is known from the statements that fit rows which training did not see and "
        "none that it saw. The interval allows for statements that hit the same rows." + CERTAIN + TOLD,
        best=0,
        source=f"{GIOMI}; interval: Newcombe 1998, method 10; design effect: Kish 1965; {MOVER}",
    ),
    "inference": Definition(
        title="Inference risk",
        meaning="How much more often the closest synthetic row tells the missing attribute of a row that training saw, "
        "than of one that it did not see: a number within 5 % of it, a moment within 5 % of the column's range, and so "
        "a number of which nearly all are within 5 % of the median (a year)." + CERTAIN + TOLD,
        best=0,
        source=f"{GIOMI}; {MOVER}",
    ),
}
