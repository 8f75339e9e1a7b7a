"""What the package `anonymeter` finds in the tables of `people`; writes `anonymeter.json` beside it.

It cannot be installed beside our numpy and pyarrow, so in an environment of its own:

    python3.11 -m venv /tmp/anonymeter
    /tmp/anonymeter/bin/pip install 'numpy<1.27' 'pandas<2.3' scipy scikit-learn joblib numba polars
    /tmp/anonymeter/bin/pip install --no-deps anonymeter==1.1.0
    /tmp/anonymeter/bin/python tests/unit/quality/anonymeter_figures.py
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

HERE = Path(__file__).parent
TRIES = [(500, 0, 0), (500, 250, 100), (500, 40, 60), (500, 500, 250), (20, 7, 3)]
ALL = 10_000  # more statements about one attribute than there are


def main() -> None:
    from anonymeter.evaluators import InferenceEvaluator, SinglingOutEvaluator
    from anonymeter.stats.confidence import EvaluationResults

    sys.path.insert(0, str(HERE))
    from people import NUMBERS, ROWS, people

    warnings.simplefilter("ignore")
    real, synthetic, holdout = (pd.DataFrame(table) for table in people())
    figures: dict[str, Any] = {"risk": [], "inference": {}}
    for attempts, successes, control in TRIES:
        result = EvaluationResults(attempts, successes, 0, control)
        risk = result.risk()
        rate = [result.attack_rate.value, result.attack_rate.error]
        figures["risk"].append({"tries": [attempts, successes, control], "rate": rate, "risk": [risk.value, *risk.ci]})
    for secret in real:
        others = [name for name in real if name != secret]
        evaluator = InferenceEvaluator(
            real, synthetic, others, secret, regression=secret in NUMBERS, n_attacks=ROWS, control=holdout
        )
        found = evaluator.evaluate(n_jobs=1).results()
        figures["inference"][secret] = [int(found.n_success), int(found.n_control)]
    for width, attacks in ((1, ALL), (3, 500)):
        mode = "univariate" if width == 1 else "multivariate"
        singling = SinglingOutEvaluator(
            real, synthetic, n_attacks=attacks, n_cols=width, control=holdout, max_attempts=100_000, seed=0
        )
        found = singling.evaluate(mode).results()
        figures[mode] = [int(found.n_success), int(found.n_control)]
    (HERE / "anonymeter.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
