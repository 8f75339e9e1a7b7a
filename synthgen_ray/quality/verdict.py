"""What the numbers mean for who decides whether to hand the table out."""

from collections.abc import Iterator, Mapping, Sequence
from math import hypot, sqrt
from typing import Literal, NamedTuple

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessment import (
    HOLDOUT,
    Attack,
    ColumnResult,
    Fidelity,
    Finding,
    Level,
    Measure,
    NoUtility,
    PairResult,
    Privacy,
    Scope,
    Utility,
)
from synthgen_ray.quality.losses import empty_columns, null_gaps, with_lost_pairs
from synthgen_ray.quality.relations import Weak

Limits = tuple[float, float]

# Good from the first number on, bad below the second.
SHAPES = (0.95, 0.85)
TRENDS = (0.90, 0.80)
BESIDE = (0.95, 0.87)  # shares of what the hold-out gets, where there is one
KEPT = (0.80, 0.0)  # of weak relations; never bad, since little depends on them
LEARNT = (0.95, 0.80)  # of what real rows teach beyond chance, the share that synthetic rows teach
LEAST_LEARNABLE = 0.05
UNLIKE = 0.80  # of what the hold-out gets, a single column
COVERED = (0.85, 0.0)  # never bad: shapes tell how much is missed, and it may be asked for
# Good up to the first number, bad above the second.
EMPTY = (0.0, 0.05)  # of a column without any value, the share of rows that lack one and should certainly have it
MISSING = (0.05, 0.50)  # the same of a column with some, and of values that there should not be
DETECTED = (0.70, 0.97)  # nearly all generators of tables are found out; what that costs, trends and utility tell
COPIED = (0.002, 0.02)  # beyond what real rows have in common with each other
NEARLY_COPIED = (0.02, 0.10)
MOST_ALIKE = 0.20  # of the real rows; where more are near copies of each other, to be one says little
REPEATED = 0.05  # of the rows held out, what the training table has too
COPIED_VALUES = (0.05, 0.25)
COPIED_NUMBERS = 0.25  # of what looks like ids and may be a measure that rows share
REMEMBERED = (0.04, 0.20)  # at the low end of the interval
MOST_UNSURE = 0.25  # the high end that good news may have
AT_RISK = (0.05, 0.20)  # at the low end of the interval
MOST_NAMED = 3  # columns in a sentence
MOST_LETTERS = 40  # of a name

REMEMBERS = (
    "Look at the numbers under privacy before it leaves your hands; fewer epochs remember less.",
    "Do not hand it out. Train again with more rows, fewer epochs or a smaller network.",
)


class Noise(NamedTuple):
    """What is added to a score since chance, or the steps in which it is told, may have taken it.

    The largest gap between two samples of n rows each is about 1 / √n, n those of the shorter of the two tables. A mean
    over columns or pairs is less at the mercy of chance: over hold-outs of n rows it deviates by some 1 / (3 √n), of
    which 1.6 are exceeded by one in twenty. Half a step of telling each of two scores comes on top, as errors of their
    own. The mean of several halvings has 0.4 as much of all.
    """

    tables: float
    holdout: float
    halves: float  # beside each other, of the real rows that were looked at

    @classmethod
    def of(cls, scope: Scope, columns: int = 0) -> "Noise":
        """In scores of so many columns together; of 0 in what is told as it is."""
        shorter, half = min(scope.real_rows, scope.synthetic_rows), min(scope.real_rows, scope.max_rows) // 2
        width = 2 ** (columns - 1) * scope.k if columns else 0  # of a step, times the rows: `telling.step`

        def of_few(rows: int) -> float:
            return hypot(0.5 / sqrt(rows), width / sqrt(2) / rows) if rows else 0.0

        in_tables = hypot(1 / sqrt(shorter), width / 2 / scope.real_rows)
        return cls(in_tables, of_few(scope.holdout_rows or 0), 0.4 * of_few(min(half, scope.synthetic_rows)))


def verdict(
    fidelity: Fidelity,
    columns: Sequence[ColumnResult],
    pairs: Sequence[PairResult],
    utility: Utility | None,
    privacy: Privacy,
    scope: Scope,
    no_utility: NoUtility | None = None,
    weak: Weak | None = None,
) -> tuple[Finding, ...]:
    """Bad news first, then warnings, then what is good. What may be chance is no news."""
    found = [*_privacy(privacy, scope), *_fidelity(fidelity, columns, pairs, scope, weak)]
    found += _utility(utility) if utility else _no_utility(no_utility)
    return tuple(sorted(found, key=lambda finding: -finding.level.severity))


def _privacy(privacy: Privacy, scope: Scope) -> Iterator[Finding]:
    yield from _copies(privacy, scope)
    remembered, share = privacy.remembered, privacy.distance_share
    if scope.holdout_rows is not None:
        yield from _repeated(privacy.copies.ceiling or 0.0, scope.holdout_rows)
    if remembered is None or remembered.value is None or share is None or share.value is None:
        yield _unknown(scope)
        return
    yield _remembered(remembered, share, scope)
    yield _attacks(
        privacy.singling_out, "Statements that fit one synthetic row single out people of the training table"
    )
    yield _attacks(privacy.inference, "Who knows the rest of a row of the training table can guess what is missing")


def _remembered(remembered: Measure, share: Measure, scope: Scope) -> Finding:
    """Found for certain, or not found; or the hold-out is too short to tell."""
    level, most = _low(remembered.low or 0.0, REMEMBERED), remembered.high or 0.0
    beside = f"beside as many other real rows {share.value:.0%} are, where 50% would be chance."
    if level is Level.GOOD and most > MOST_UNSURE:
        sentence = f"Up to {most:.0%} of the synthetic rows may be made after single rows of the training table: "
        sentence += f"{_count(scope.holdout_rows or 0, 'row')} held out are too few to tell more."
        advice = "Train with a larger `holdout_fraction`, or judge more rows, and make the report again."
        return _finding(Level.WARN, "privacy", sentence, advice)
    if level is Level.GOOD:
        sentence = f"The synthetic rows are no closer to rows of the training table than chance explains ({most:.0%} of"
        return _finding(level, "privacy", f"{sentence} them at most); {beside}")
    sentence = f"{remembered.value:.0%} of the synthetic rows are closer to a row of the training table than chance"
    return _finding(level, "privacy", f"{sentence} explains; {beside}", *REMEMBERS)


def _unknown(scope: Scope) -> Finding:
    if scope.holdout_rows is None:
        sentence = "There is no hold-out, so that nobody can tell whether the model remembers rows."
        return _finding(
            Level.WARN, "privacy", sentence, "Train with `holdout_fraction` above 0, and make the report again."
        )
    sentence = "No column of these rows can be compared, so that nobody can tell whether the model remembers them."
    advice = "Look under privacy at how many of the ids and texts are in the training table too."
    return _finding(Level.WARN, "privacy", sentence, advice)


def _repeated(common: float, held_out: int) -> Iterator[Finding]:
    """Of a person with several rows some are in the training table: then the hold-out is of no strangers."""
    if common - 2 * sqrt(common * (1 - common) / held_out) > REPEATED:
        sentence = (
            f"{_percent(common)} of the rows held out are in the training table too, so that they tell nobody apart."
        )
        sentence += " Where a person has several rows, nothing below can show that the model remembers people."
        advice = "Train on a table with one row a person. Where rows are alike since they hold little, all is well."
        yield _finding(Level.WARN, "privacy", sentence, advice)


def _copies(privacy: Privacy, scope: Scope) -> Iterator[Finding]:
    rare, near = privacy.rare_copies, privacy.near_copies
    if rare.value is not None:
        level = _low(_certain_copies(rare, scope), COPIED)
        which = "rare rows" if (privacy.copies.value or 0.0) > rare.value else "rows"
        sentence = f"{_percent(rare.value)} of the synthetic rows are copies of {which} of the training table"
        sentence += f"; of the real rows {_percent(rare.ceiling)} are of others." if rare.ceiling else "."
        yield _finding(level, "privacy", f"It leaks: {sentence}" if level is Level.BAD else sentence, *REMEMBERS)
    if near.value is not None and near.ceiling is not None and near.ceiling <= MOST_ALIKE:
        level = _low(_certain_copies(near, scope), NEARLY_COPIED)
        if level is not Level.GOOD:
            sentence = f"{_percent(near.value)} of the synthetic rows are, but for one column, rows of the training "
            sentence += f"table that few others are like; of the real rows {_percent(near.ceiling)} are like others."
            yield _finding(level, "privacy", sentence, *REMEMBERS)
    for values in privacy.copied_values:
        value, expected = values.copies.value or 0.0, values.copies.ceiling or 0.0
        level = _low(value - expected, COPIED_VALUES)
        if (values.kind is ColumnKind.TEXT or values.scattered) and level is not Level.GOOD:
            sentence = f"{_percent(value)} of the values of {_quoted(values.column)} are in the training table too."
            advice = "Leave the column out, or mark it as personal data, so that it is made afresh."
            yield _finding(level, "privacy", sentence, advice, advice)
    for number in privacy.id_like:
        if (number.copies.value or 0.0) > COPIED_NUMBERS:
            sentence = f"The values of {_quoted(number.column)} look like numbers of accounts or people, and "
            sentence += f"{_percent(number.copies.value or 0.0)} of the synthetic ones are in the training table."
            advice = (
                "If they are, declare the column to be an id, and train again; if they measure or count, all is well."
            )
            yield _finding(Level.WARN, "privacy", sentence, advice)


def _certain_copies(copies: Measure, scope: Scope) -> float:
    """What is copied beyond what real rows have in common, less two standard errors and half a step of telling.

    Source: Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, sec. 3.1 (pooled). Real rows
    that have one in common are two of them, so that they count half.
    """
    if copies.value is None or copies.ceiling is None:  # too few real rows to tell
        return 0.0
    real, drawn = min(scope.real_rows, scope.max_rows) / 2, min(scope.synthetic_rows, scope.max_rows)
    expected = min(copies.ceiling + scope.k / (4 * real), 1.0)
    pooled = (copies.value * drawn + expected * real) / (drawn + real)
    return copies.value - expected - 2 * sqrt(pooled * (1 - pooled) * (1 / drawn + 1 / real))


def _attacks(attacks: Sequence[Attack], what: str) -> Finding:
    """Of the attack that is certain to gain most, though so many were tried."""
    if not attacks:
        return _finding(Level.GOOD, "privacy", "Hardly a row of it stands out.")
    than = "than people whom the model has not seen"
    if all(attack.risk.value is None for attack in attacks):
        sentence = f"Whether {what[0].lower()}{what[1:]} better {than}, so few rows cannot tell."
        advice = "Train with a larger `holdout_fraction`, or judge more rows, and make the report again."
        return _finding(Level.WARN, "privacy", sentence, advice)
    worst = max(attacks, key=lambda attack: attack.certain_risk or 0.0)
    level = _low(worst.certain_risk or 0.0, AT_RISK)
    sentence = f"{what} no better {than}."
    if level is not Level.GOOD:
        sentence = f"{what} better {than}: the risk is {worst.risk.value:.0%} ({worst.by})."
    return _finding(level, "privacy", sentence, *REMEMBERS)


def _missing(columns: Sequence[ColumnResult], gaps: Mapping[str, float], empty: Sequence[str]) -> Iterator[Finding]:
    if empty:
        sentence = f"{_named(empty)} without any value here, though not in the real table."
        advice = "Do without it, or train again: longer, or another model type."
        yield _finding(_low(max(gaps[name] for name in empty), EMPTY), "fidelity", sentence, advice, advice)
    others = [column for column in columns if column.name not in empty]
    if others:
        worst = max(others, key=lambda column: gaps[column.name])
        real = "hardly any" if worst.real_nulls is None else f"{worst.real_nulls:.0%}"
        sentence = (
            f"{_quoted(worst.name)} lacks {worst.synthetic_nulls:.0%} of its values, and {real} in the real table."
        )
        advice = "Look at the shares under missing values before you count on them; train longer."
        level = _low(gaps[worst.name], MISSING)
        if level is not Level.GOOD:
            yield _finding(level, "fidelity", sentence, advice, advice)


def _named(names: Sequence[str]) -> str:
    quoted = [_quoted(name) for name in names]
    if len(names) == 1:
        return f"{quoted[0]} is"
    if len(names) <= MOST_NAMED:
        return ", ".join(quoted[:-1]) + f" and {quoted[-1]} are"
    return ", ".join(quoted[:MOST_NAMED]) + f" and {_count(len(names) - MOST_NAMED, 'more column')} are"


def _fidelity(
    fidelity: Fidelity, columns: Sequence[ColumnResult], pairs: Sequence[PairResult], scope: Scope, weak: Weak | None
) -> Iterator[Finding]:
    noise = Noise.of(scope)
    gaps = null_gaps(columns, scope)
    empty = empty_columns(columns, gaps)
    yield from _missing(columns, gaps, empty)
    shapes, trends, auc, coverage = (
        fidelity.column_shapes,
        fidelity.pair_trends,
        fidelity.detection_auc,
        fidelity.coverage,
    )
    if shapes.value is not None:
        level = _beside(shapes, SHAPES, Noise.of(scope, 1))
        like = {Level.GOOD: "much like", Level.WARN: "roughly like", Level.BAD: "unlike"}[level]
        which = "The columns that have values" if empty else "The columns"
        sentence = f"{which} by themselves are {like} the real ones: {_score(shapes)}."
        if columns[0].shape.value is not None:
            sentence += f" The least alike is {_quoted(columns[0].name)} ({columns[0].shape.value:.2f})."
        advice = "Train longer, and look at the worst columns.", "Train longer, or another model type."
        yield _finding(level, "fidelity", sentence, *advice)
        yield from _unlike(columns)
    elif columns and scope.real_rows < 2 * scope.k:
        yield _too_few("columns are like the real ones", scope)
    lost = [pair for pair in pairs if pair.lost]
    if trends.value is not None or lost:
        level = _beside(with_lost_pairs(trends, pairs), TRENDS, Noise.of(scope, 2))
        level = Level.WARN if lost and level is Level.GOOD else level
        how = {Level.GOOD: "much the same", Level.WARN: "only in part", Level.BAD: "hardly"}[level]
        sentence = f"Columns that go together in the real table do so {how} in this one"
        if lost:
            more = f" and {_count(len(lost) - 1, 'more pair')}" if len(lost) > 1 else ""
            sentence += f": {_quoted(lost[0].columns[0])} and {_quoted(lost[0].columns[1])}{more} not at all"
            sentence += ", since one does not vary"
            sentence += f"; of the others: {_score(trends)}." if trends.value is not None else "."
        else:
            sentence += f": {_score(trends)}."
        bad = "Do not rely on relations between columns; train longer, or another model type."
        yield _finding(level, "fidelity", sentence, "Keep `refine` on, or train longer.", bad)
    elif any(pair.related for pair in pairs):
        yield _too_few("columns go together as they do in the real one", scope)
    if weak is not None:
        yield from _weak_relations(weak, Noise.of(scope, 2), beside_others=any(pair.related for pair in pairs))
    if auc.value is not None:
        level = _low(auc.low or auc.value, DETECTED)
        sentence = f"A classifier tells which of two rows is real in {auc.value:.0%} of cases{_beside_chance(auc)}."
        advice = "For tests and teaching that is enough; before analyses look at utility.", "Use it for tests only."
        yield _finding(level, "fidelity", sentence, *advice)
    if coverage.value is not None and _beside(coverage, COVERED, noise) is not Level.GOOD:
        sentence = f"On average {coverage.value:.0%} of a column's range or categories are reached: {_score(coverage)}."
        yield _finding(Level.WARN, "fidelity", sentence, "Generate more rows, or ask for the rare ones by conditions.")


def _unlike(columns: Sequence[ColumnResult]) -> Iterator[Finding]:
    """Single columns that a good mean hides."""
    found = [column.name for column in columns if _is_unlike(column.shape)]
    if found:
        sentence = f"{_named(found)} unlike the real one, though others are like it."
        yield _finding(Level.WARN, "fidelity", sentence, "Look at them before you count on them; train longer.")


def _is_unlike(shape: Measure) -> bool:
    """Beside other real rows, which are fewer and so have more chance in them."""
    return shape.value is not None and shape.ceiling is not None and shape.value < UNLIKE * shape.ceiling


def _too_few(what: str, scope: Scope) -> Finding:
    sentence = f"{_count(scope.real_rows, 'real row')} are too few to tell whether {what}."
    return _finding(Level.WARN, "fidelity", sentence, "Judge a model of more rows, or look at the table yourself.")


def _weak_relations(weak: Weak, noise: Noise, *, beside_others: bool) -> Iterator[Finding]:
    """Of pairs that hardly relate, of which trends say nothing: by their accuracy where rows were held out, which
    relations hardly move, and by what the associations keep where some are certain. Beside pairs that are related no
    others are looked for where none is certain."""
    levels, told, accuracy = [], [], weak.accuracy
    if weak.kept is not None:
        levels.append(_high(weak.kept.most, KEPT))
        told.append(f"of what they say of each other {weak.kept} is kept")
    elif beside_others:
        return
    if accuracy.matched is not None and accuracy.ceiling:
        levels.append(_beside(accuracy, BESIDE, noise))
        told.append(f"the accuracy of {'such ' if beside_others else ''}pairs is {_score(accuracy)}")
    level = Level.worst_of(levels)
    if level is not None:
        sentence = "No two columns go together closely in the real table"
        if beside_others:
            how = {Level.GOOD: "do so here too", Level.WARN: "do so only in part", Level.BAD: "hardly do so"}[level]
            sentence = f"Columns that go together loosely in the real table {how}"
        sentence += f"; {', and '.join(told)}."
        advice = "Do not rely on what columns say of each other; keep `refine` on, or train longer."
        yield _finding(level, "fidelity", sentence, advice, advice)


def _beside_chance(auc: Measure) -> str:
    if auc.high is not None and auc.high < min(0.5, auc.ceiling or 0.0):
        return ", fewer than the 50% of chance: many rows lie next to one of the other table, of which privacy tells"
    if auc.value is not None and auc.value < 0.5:
        return ", no more than the 50% of chance"
    return "; 50% would be chance"


def _no_utility(lacking: NoUtility | None) -> Iterator[Finding]:
    """Who named a target waits for a word about it; of one that was guessed it is no news."""
    if lacking is not None and lacking.target is not None and lacking.was_named:
        sentence = f"What synthetic rows teach of {_quoted(lacking.target)} is not measured: {lacking.reason}."
        advice = "Name another target, or train on more rows with a larger `holdout_fraction`."
        yield _finding(Level.WARN, "utility", sentence, advice)


def _utility(utility: Utility) -> Iterator[Finding]:
    if utility.real.value is None or utility.synthetic.value is None:
        return
    chance, metric = (0.5, "AUC") if utility.metric == "auc" else (0.0, "R²")
    learnable = utility.real.value - chance
    if learnable < LEAST_LEARNABLE:
        if not utility.was_named:
            return
        sentence = f"{_quoted(utility.target)} cannot be learnt from real rows either, so that it tells nothing of use."
        yield _finding(Level.WARN, "utility", sentence, "Name another target.")
        return
    kept = max((utility.synthetic.value - chance) / learnable, 0.0)
    numbers = f"{metric} {utility.synthetic.value:.3f} against {utility.real.value:.3f}"
    how_much = "all that" if kept >= 1 else f"{kept:.0%} of what"
    sentence = f"Synthetic rows teach {how_much} real rows teach of {_quoted(utility.target)} ({numbers})"
    sentence += "." if utility.tested_on == HOLDOUT else ", tried on rows that the generator has seen."
    advice = "Try models on real rows before you rely on them.", "Train no models for use on this table."
    least, most = _kept_between(utility, learnable, chance)
    level = _high(most, LEARNT)
    if level is Level.GOOD and kept < LEARNT[0] and least < LEARNT[1]:  # good by its interval alone
        sentence += f" The rows to try it on are too few to tell: it may be {max(least, 0.0):.0%} to {most:.0%}."
        advice = "Train with a larger `holdout_fraction`, and make the report again.", ""
        level = Level.WARN
    if level is Level.BAD and not _has_interval(utility):
        sentence += " How sure that is is not known."
        level = Level.WARN
    yield _finding(level, "utility", sentence, *advice)


def _has_interval(utility: Utility) -> bool:
    return any(one is not None and None not in (one.low, one.high) for one in (utility.lost, utility.synthetic))


def _kept_between(utility: Utility, learnable: float, chance: float) -> tuple[float, float]:
    """The ends of the interval of what is kept of what real rows teach."""
    lost = utility.lost
    if lost is None or lost.low is None or lost.high is None:
        value = utility.synthetic.value or 0.0
        return (value - chance) / learnable, ((utility.synthetic.high or value) - chance) / learnable
    return 1 - lost.high / learnable, 1 - lost.low / learnable


def _finding(
    level: Level, area: Literal["fidelity", "utility", "privacy"], sentence: str, warned: str = "", bad: str = ""
) -> Finding:
    advice = {Level.GOOD: "", Level.WARN: warned, Level.BAD: bad}[level]
    return Finding(level=level, area=area, sentence=sentence, advice=advice)


def _high(value: float, limits: Limits) -> Level:
    good, bad = limits
    return Level.GOOD if value >= good else Level.BAD if value < bad else Level.WARN


def _low(value: float, limits: Limits) -> Level:
    good, bad = limits
    return Level.GOOD if value <= good else Level.BAD if value > bad else Level.WARN


def _beside(measure: Measure, limits: Limits, noise: Noise) -> Level:
    """As many rows as were held out beside these, or the halves of the real table, which have chance in them too;
    without them by these limits."""
    value, chance = measure.value or 0.0, noise.tables
    ceiling = measure.halves if measure.ceiling is None else measure.ceiling
    if not ceiling:
        return _high(value + chance, limits)
    if measure.matched is not None:
        value, chance = measure.matched, noise.halves if measure.ceiling is None else noise.holdout
    return _high((value + chance) / ceiling, BESIDE)


def _score(measure: Measure) -> str:
    if measure.ceiling is None and measure.halves is not None and measure.matched is not None:
        beside = f"as many synthetic ones get {measure.matched:.3f}, the other half {measure.halves:.3f}"
        return f"{measure.value:.3f} of 1; beside one half of the real rows {beside}"
    if measure.ceiling is None:
        return f"{measure.value:.3f} of 1"
    if measure.matched is None:
        return f"{measure.value:.3f} of 1, other real rows get {measure.ceiling:.3f}"
    beside = f"as many rows as were held out get {measure.matched:.3f}, other real rows {measure.ceiling:.3f}"
    return f"{measure.value:.3f} of 1; {beside}"


def _quoted(name: str) -> str:
    """Of a long name as much as leaves room for what is said of it."""
    return f"'{name}'" if len(name) <= MOST_LETTERS else f"'{name[: MOST_LETTERS - 1]}…'"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
