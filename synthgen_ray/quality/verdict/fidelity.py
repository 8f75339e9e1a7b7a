"""Whether it looks like the real table."""

from collections.abc import Iterator, Mapping, Sequence

from synthgen_ray.quality.assessment import ColumnResult, Fidelity, Finding, Level, Measure, PairResult, Scope
from synthgen_ray.quality.losses import empty_columns, null_gaps, with_lost_pairs
from synthgen_ray.quality.relations import Weak
from synthgen_ray.quality.verdict.limits import BESIDE, Noise, beside, high, low
from synthgen_ray.quality.verdict.wording import count, finding, named, percent, quoted, score

# Good from the first number on, bad below the second.
SHAPES = (0.95, 0.85)
TRENDS = (0.90, 0.80)
KEPT = (0.80, 0.0)  # of weak relations; never bad, since little depends on them
COVERED = (0.85, 0.0)  # never bad: shapes tell how much is missed, and it may be asked for
# Good up to the first number, bad above the second.
EMPTY = (0.0, 0.05)  # of a column without any value, the share of rows that lack one and should certainly have it
MISSING = (0.05, 0.50)  # the same of a column with some, and of values that there should not be
DETECTED = (0.70, 0.97)  # nearly all generators of tables are found out; what that costs, trends and utility tell
UNLIKE = 0.80  # of what the hold-out gets, a single column


def of_fidelity(
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
        level = beside(shapes, SHAPES, Noise.of(scope, 1))
        like = {Level.GOOD: "much like", Level.WARN: "roughly like", Level.BAD: "unlike"}[level]
        which = "The columns that have values" if empty else "The columns"
        sentence = f"{which} by themselves are {like} the real ones: {score(shapes)}."
        if columns[0].shape.value is not None:
            sentence += f" The least alike is {quoted(columns[0].name)} ({columns[0].shape.value:.2f})."
        advice = "Train longer, and look at the worst columns.", "Train longer, or another model type."
        yield finding(level, "fidelity", sentence, *advice)
        yield from _unlike(columns, noise)
    elif columns and scope.real_rows < 2 * scope.k:
        yield _too_few("columns are like the real ones", scope)
    lost = [pair for pair in pairs if pair.lost]
    if trends.value is not None or lost:
        level = beside(with_lost_pairs(trends, pairs), TRENDS, Noise.of(scope, 2))
        level = Level.WARN if lost and level is Level.GOOD else level
        how = {Level.GOOD: "much the same", Level.WARN: "only in part", Level.BAD: "hardly"}[level]
        sentence = f"Columns that go together in the real table do so {how} in this one"
        if lost:
            more = f" and {count(len(lost) - 1, 'more pair')}" if len(lost) > 1 else ""
            sentence += f": {quoted(lost[0].columns[0])} and {quoted(lost[0].columns[1])}{more} not at all"
            sentence += ", since one does not vary"
            sentence += f"; of the others: {score(trends)}." if trends.value is not None else "."
        else:
            sentence += f": {score(trends)}."
        bad = "Do not rely on relations between columns; train longer, or another model type."
        yield finding(level, "fidelity", sentence, "Keep `refine` on, or train longer.", bad)
    elif any(pair.related for pair in pairs):
        yield _too_few("columns go together as they do in the real one", scope)
    if weak is not None:
        yield from _weak_relations(weak, Noise.of(scope, 2), beside_others=any(pair.related for pair in pairs))
    if auc.value is not None:
        level = low(auc.low or auc.value, DETECTED)
        sentence = f"A classifier tells which of two rows is real in {auc.value:.0%} of cases{_beside_chance(auc)}."
        advice = "For tests and teaching that is enough; before analyses look at utility.", "Use it for tests only."
        yield finding(level, "fidelity", sentence, *advice)
    if coverage.value is not None and beside(coverage, COVERED, noise) is not Level.GOOD:
        sentence = f"On average {coverage.value:.0%} of a column's range or categories are reached: {score(coverage)}."
        yield finding(Level.WARN, "fidelity", sentence, "Generate more rows, or ask for the rare ones by conditions.")


def _missing(columns: Sequence[ColumnResult], gaps: Mapping[str, float], empty: Sequence[str]) -> Iterator[Finding]:
    if empty:
        sentence = f"{named(empty)} without any value here, though not in the real table."
        advice = "Do without it, or train again: longer, or another model type."
        yield finding(low(max(gaps[name] for name in empty), EMPTY), "fidelity", sentence, advice, advice)
    others = [column for column in columns if column.name not in empty]
    if others:
        worst = max(others, key=lambda column: gaps[column.name])
        real = "hardly any" if worst.real_nulls is None else percent(worst.real_nulls)
        lacking = percent(worst.synthetic_nulls)
        sentence = f"{quoted(worst.name)} lacks {lacking} of its values, and {real} in the real table."
        advice = "Look at the shares under missing values before you count on them; train longer."
        level = low(gaps[worst.name], MISSING)
        if level is not Level.GOOD:
            yield finding(level, "fidelity", sentence, advice, advice)


def _unlike(columns: Sequence[ColumnResult], noise: Noise) -> Iterator[Finding]:
    """Single columns that the mean hides."""
    found = [column.name for column in columns if _is_unlike(column.shape, noise)]
    if 0 < len(found) < sum(column.shape.value is not None for column in columns):
        sentence = f"{named(found)} unlike the real one, though others are like it."
        yield finding(Level.WARN, "fidelity", sentence, "Do not count on what is in there; train longer.")


def _is_unlike(shape: Measure, noise: Noise) -> bool:
    """Beside other real rows."""
    if shape.value is None or shape.ceiling is None:
        return False
    return shape.value + noise.tables < UNLIKE * shape.ceiling


def _too_few(what: str, scope: Scope) -> Finding:
    sentence = f"With {count(scope.real_rows, 'real row')} nobody can tell whether {what}."
    return finding(Level.WARN, "fidelity", sentence, "Judge a model of more rows, or look at the table yourself.")


def _weak_relations(weak: Weak, noise: Noise, *, beside_others: bool) -> Iterator[Finding]:
    """Of pairs that hardly relate, of which trends say nothing: by their accuracy where rows were held out, which
    relations hardly move, and by what the associations keep where some are certain. Beside pairs that are related no
    others are looked for where none is certain."""
    levels, told, accuracy = [], [], weak.accuracy
    if weak.kept is not None:
        levels.append(high(weak.kept.most, KEPT))
        told.append(f"of what they say of each other {weak.kept} is kept")
    elif beside_others:
        return
    if accuracy.matched is not None and accuracy.ceiling:
        levels.append(beside(accuracy, BESIDE, noise))
        told.append(f"the accuracy of {'such ' if beside_others else ''}pairs is {score(accuracy)}")
    level = Level.worst_of(levels)
    if level is not None:
        sentence = "No two columns go together closely in the real table"
        if beside_others:
            how = {Level.GOOD: "do so here too", Level.WARN: "do so only in part", Level.BAD: "hardly do so"}[level]
            if level is Level.GOOD and weak.kept is not None and weak.kept.value < KEPT[0]:  # by its error alone
                how = "may do so here too: so few rows cannot tell"
            sentence = f"Columns that go together loosely in the real table {how}"
        sentence += f"; {', and '.join(told)}."
        advice = "Do not rely on what columns say of each other; keep `refine` on, or train longer."
        yield finding(level, "fidelity", sentence, advice, advice)


def _beside_chance(auc: Measure) -> str:
    if auc.high is not None and auc.high < min(0.5, auc.ceiling or 0.0):
        return ", fewer than the 50% of chance: many rows lie next to one of the other table, of which privacy tells"
    if auc.value is not None and auc.value < 0.5:
        return ", no more than the 50% of chance"
    return "; 50% would be chance"
