"""Whether it teaches what the real table teaches."""

from collections.abc import Iterator

from synthgen_ray.quality.assessment import HOLDOUT, Finding, Level, NoUtility, Utility
from synthgen_ray.quality.verdict.limits import high
from synthgen_ray.quality.verdict.wording import finding, quoted

# Good from the first number on, bad below the second.
LEARNT = (0.95, 0.80)  # of what real rows teach beyond chance, the share that synthetic rows teach
LEAST_LEARNABLE = 0.05


def of_utility(utility: Utility) -> Iterator[Finding]:
    if utility.real.value is None or utility.synthetic.value is None:
        return
    chance, metric = (0.5, "AUC") if utility.metric == "auc" else (0.0, "R²")
    learnable = utility.real.value - chance
    if learnable < LEAST_LEARNABLE:
        if not utility.was_named:
            return
        sentence = f"{quoted(utility.target)} cannot be learnt from real rows either, so that it tells nothing of use."
        yield finding(Level.WARN, "utility", sentence, "Name another target.")
        return
    kept = max((utility.synthetic.value - chance) / learnable, 0.0)
    numbers = f"{metric} {utility.synthetic.value:.3f} against {utility.real.value:.3f}"
    how_much = "all that" if kept >= 1 else f"{kept:.0%} of what"
    sentence = f"Synthetic rows teach {how_much} real rows teach of {quoted(utility.target)} ({numbers})"
    sentence += "." if utility.tested_on == HOLDOUT else ", tried on rows that the generator has seen."
    advice = "Try models on real rows before you rely on them.", "Train no models for use on this table."
    least, most = _kept_between(utility, learnable, chance)
    level = high(most, LEARNT)
    if level is Level.GOOD and kept < LEARNT[0] and least < LEARNT[1]:  # good by its interval alone
        sentence += f" The rows to try it on are too few to tell: it may be {max(least, 0.0):.0%} to {most:.0%}."
        advice = "Train with a larger `holdout_fraction`, and make the report again.", ""
        level = Level.WARN
    if level is Level.BAD and not _has_interval(utility):
        sentence += " How sure that is is not known."
        level = Level.WARN
    yield finding(level, "utility", sentence, *advice)


def of_no_utility(lacking: NoUtility | None) -> Iterator[Finding]:
    """Who named a target waits for a word about it; of one that was guessed it is no news."""
    if lacking is not None and lacking.target is not None and lacking.was_named:
        sentence = f"What synthetic rows teach of {quoted(lacking.target)} is not measured: {lacking.reason}."
        advice = "Name another target, or train on more rows with a larger `holdout_fraction`."
        yield finding(Level.WARN, "utility", sentence, advice)


def _has_interval(utility: Utility) -> bool:
    return any(one is not None and None not in (one.low, one.high) for one in (utility.lost, utility.synthetic))


def _kept_between(utility: Utility, learnable: float, chance: float) -> tuple[float, float]:
    """The ends of the interval of what is kept of what real rows teach."""
    lost = utility.lost
    if lost is None or lost.low is None or lost.high is None:
        value = utility.synthetic.value or 0.0
        return (value - chance) / learnable, ((utility.synthetic.high or value) - chance) / learnable
    return 1 - lost.high / learnable, 1 - lost.low / learnable
