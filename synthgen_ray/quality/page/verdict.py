"""The findings in one sentence, and sorted by what they speak of."""

from dataclasses import dataclass

from synthgen_ray.quality.assessment import Assessment, Finding, Level

QUESTIONS = {
    "fidelity": "Does it look like the real table?",
    "utility": "Does it teach what the real table teaches?",
    "privacy": "Does it keep real rows to itself?",
}


@dataclass(frozen=True)
class Area:
    title: str
    question: str
    level: Level | None  # `None`: not judged
    findings: tuple[Finding, ...]


def areas(assessment: Assessment) -> list[Area]:
    found = []
    for area, question in QUESTIONS.items():
        findings = tuple(finding for finding in assessment.verdict if finding.area == area)
        found.append(Area(area.capitalize(), question, Level.worst_of(finding.level for finding in findings), findings))
    return found


def judgement(assessment: Assessment) -> tuple[Level | None, str]:
    """How bad it is, and what to do with the table in a sentence; it never calls private what was not measured."""
    bad = {finding.area for finding in assessment.verdict if finding.level is Level.BAD}
    to_weigh = sum(finding.level is Level.WARN for finding in assessment.verdict)
    if "privacy" in bad:
        return Level.BAD, "Do not hand this table out: it gives real rows away."
    if bad:
        return Level.BAD, "Not ready: this table does not stand in for the real one."
    if not assessment.verdict:
        return None, "Nothing could be judged on these tables."
    if assessment.scope.holdout_rows is None:
        return Level.WARN, "Privacy is not measured: no rows were held out from training."
    if to_weigh:
        points = "1 point" if to_weigh == 1 else f"{to_weigh} points"
        return Level.WARN, f"Usable with care: {points} to weigh before you hand it out."
    return Level.GOOD, "Good to hand out: close to the real table, with no sign that it gives real rows away."
