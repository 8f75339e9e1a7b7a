"""Whether real rows can be found in it."""

from collections.abc import Iterator, Sequence
from math import sqrt

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessment import Attack, Finding, Level, Measure, Privacy, Scope
from synthgen_ray.quality.verdict.limits import low
from synthgen_ray.quality.verdict.wording import count, finding, percent, quoted

# Good up to the first number, bad above the second.
COPIED = (0.002, 0.02)  # beyond what real rows have in common with each other
NEARLY_COPIED = (0.02, 0.10)
COPIED_VALUES = (0.05, 0.25)
REMEMBERED = (0.04, 0.20)  # at the low end of the interval
AT_RISK = (0.05, 0.20)  # at the low end of the interval
MOST_ALIKE = 0.20  # of the real rows; where more are near copies of each other, to be one says little
REPEATED = 0.05  # of the rows held out, what the training table has too
COPIED_NUMBERS = 0.25  # of what looks like ids and may be a measure that rows share
MOST_UNSURE = 0.25  # the high end that good news may have
REMEMBERS = (
    "Look at the numbers under privacy before it leaves your hands; fewer epochs remember less.",
    "Do not hand it out. Train again with more rows, fewer epochs or a smaller network.",
)


def of_privacy(privacy: Privacy, scope: Scope) -> Iterator[Finding]:
    yield from _copies(privacy, scope)
    remembered, share = privacy.remembered, privacy.distance_share
    if scope.holdout_rows is not None:
        yield from _repeated(privacy.copies.ceiling or 0.0, scope.holdout_rows)
    if remembered is None or remembered.value is None or share is None or share.value is None:
        yield _unknown(scope)
        return
    yield _remembered(remembered, share, scope)
    yield _attacks(
        privacy.singling_out,
        "Statements that fit one synthetic row single out people of the training table",
        "Hardly a row of it stands out.",
    )
    yield _attacks(
        privacy.inference,
        "Who knows the rest of a row of the training table can guess what is missing",
        "Nearly all rows of the training table are alike in each column, so that there is nothing to guess.",
    )


def _copies(privacy: Privacy, scope: Scope) -> Iterator[Finding]:
    rare, near = privacy.rare_copies, privacy.near_copies
    if rare.value is not None:
        level = low(_certain_copies(rare, scope), COPIED)
        which = "rare rows" if (privacy.copies.value or 0.0) > rare.value else "rows"
        sentence = f"{percent(rare.value)} of the synthetic rows are copies of {which} of the training table"
        sentence += f"; of the real rows {percent(rare.ceiling)} are of others." if rare.ceiling else "."
        yield finding(level, "privacy", f"It leaks: {sentence}" if level is Level.BAD else sentence, *REMEMBERS)
    if near.value is not None and near.ceiling is not None and near.ceiling <= MOST_ALIKE:
        level = low(_certain_copies(near, scope), NEARLY_COPIED)
        if level is not Level.GOOD:
            sentence = f"{percent(near.value)} of the synthetic rows are, but for one column, rows of the training "
            sentence += f"table that few others are like; of the real rows {percent(near.ceiling)} are like others."
            yield finding(level, "privacy", sentence, *REMEMBERS)
    for values in privacy.copied_values:
        value, expected = values.copies.value or 0.0, values.copies.ceiling or 0.0
        level = low(value - expected, COPIED_VALUES)
        if (values.kind is ColumnKind.TEXT or values.scattered) and level is not Level.GOOD:
            sentence = f"{percent(value)} of the values of {quoted(values.column)} are in the training table too."
            advice = "Leave the column out, or mark it as personal data, so that it is made afresh."
            yield finding(level, "privacy", sentence, advice, advice)
    for number in privacy.id_like:
        if (number.copies.value or 0.0) > COPIED_NUMBERS:
            sentence = f"The values of {quoted(number.column)} look like numbers of accounts or people, and "
            sentence += f"{percent(number.copies.value or 0.0)} of the synthetic ones are in the training table."
            advice = (
                "If they are, declare the column to be an id, and train again; if they measure or count, all is well."
            )
            yield finding(Level.WARN, "privacy", sentence, advice)


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


def _repeated(common: float, held_out: int) -> Iterator[Finding]:
    """Of a person with several rows some are in the training table: then the hold-out is of no strangers."""
    if common - 2 * sqrt(common * (1 - common) / held_out) > REPEATED:
        sentence = (
            f"{percent(common)} of the rows held out are in the training table too, so that they tell nobody apart."
        )
        sentence += " Where a person has several rows, nothing below can show that the model remembers people."
        advice = "Train on a table with one row a person. Where rows are alike since they hold little, all is well."
        yield finding(Level.WARN, "privacy", sentence, advice)


def _unknown(scope: Scope) -> Finding:
    if scope.holdout_rows is None:
        sentence = "There is no hold-out, so that nobody can tell whether the model remembers rows."
        return finding(
            Level.WARN, "privacy", sentence, "Train with `holdout_fraction` above 0, and make the report again."
        )
    sentence = "No column of these rows can be compared, so that nobody can tell whether the model remembers them."
    advice = "Look under privacy at how many of the ids and texts are in the training table too."
    return finding(Level.WARN, "privacy", sentence, advice)


def _remembered(remembered: Measure, share: Measure, scope: Scope) -> Finding:
    """Found for certain, or not found; or the hold-out is too short to tell."""
    level, most = low(remembered.low or 0.0, REMEMBERED), remembered.high or 0.0
    beside = f"beside as many other real rows {share.value:.0%} are, where 50% would be chance."
    if level is Level.GOOD and most > MOST_UNSURE:
        sentence = f"Up to {most:.0%} of the synthetic rows may be made after single rows of the training table: "
        sentence += f"with {count(scope.holdout_rows or 0, 'row')} held out nobody can tell more."
        advice = "Train with a larger `holdout_fraction`, or judge more rows, and make the report again."
        return finding(Level.WARN, "privacy", sentence, advice)
    if level is Level.GOOD:
        sentence = "The synthetic rows are no closer to rows of the training table than chance explains"
        return finding(level, "privacy", f"{sentence} ({percent(most)} of them at most); {beside}")
    sentence = f"{remembered.value:.0%} of the synthetic rows are closer to a row of the training table than chance"
    return finding(level, "privacy", f"{sentence} explains; {beside}", *REMEMBERS)


def _attacks(attacks: Sequence[Attack], what: str, untried: str) -> Finding:
    """Of the attack that is certain to gain most, though so many were tried; `untried` where there was none to try. Of
    none that is, how much the least known of them may gain: few rows hide a risk of a third."""
    if not attacks:
        return finding(Level.GOOD, "privacy", untried)
    than = "than people whom the model has not seen"
    if all(attack.risk.value is None for attack in attacks):
        sentence = f"Whether {what[0].lower()}{what[1:]} better {than}, so few rows cannot tell."
        advice = "Train with a larger `holdout_fraction`, or judge more rows, and make the report again."
        return finding(Level.WARN, "privacy", sentence, advice)
    worst = max(attacks, key=lambda attack: attack.certain_risk or 0.0)
    level = low(worst.certain_risk or 0.0, AT_RISK)
    if level is Level.GOOD:
        unsure = max(attacks, key=lambda attack: attack.risk.high or 0.0)
        most = percent(unsure.risk.high or 0.0)
        sentence = f"{what} no better {than}, as far as these rows tell: the risk is {most} at most ({_by(unsure)})."
        return finding(level, "privacy", sentence)
    sentence = f"{what} better {than}: the risk is {worst.risk.value:.0%} ({_by(worst)})."
    return finding(level, "privacy", sentence, *REMEMBERS)


def _by(attack: Attack) -> str:
    return quoted(attack.by) if attack.name == "inference" else attack.by
