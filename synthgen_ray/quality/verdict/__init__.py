"""What the numbers mean for who decides whether to hand the table out."""

from collections.abc import Sequence

from synthgen_ray.quality.assessment import (
    ColumnResult,
    Fidelity,
    Finding,
    NoUtility,
    PairResult,
    Privacy,
    Scope,
    Utility,
)
from synthgen_ray.quality.relations import Weak
from synthgen_ray.quality.verdict.fidelity import of_fidelity
from synthgen_ray.quality.verdict.privacy import of_privacy
from synthgen_ray.quality.verdict.utility import of_no_utility, of_utility


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
    found = [*of_privacy(privacy, scope), *of_fidelity(fidelity, columns, pairs, scope, weak)]
    found += of_utility(utility) if utility else of_no_utility(no_utility)
    return tuple(sorted(found, key=lambda finding: -finding.level.severity))
