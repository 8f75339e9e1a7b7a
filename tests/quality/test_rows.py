"""The rows are as good as when `gates.json` was measured, less three standard deviations between seeds.

Three real tables, all four types; the command that measures is in `gates`. A seed that was not measured is tried.
"""

import pytest

from tests.bench.tables import REAL, SHARED, Task
from tests.quality.gates import TRAININGS, known_gates, real_tasks, trained_scores, usual_sd

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the folder of real tables")
NEW_SEED = 1001


@pytest.fixture(scope="module")
def tasks() -> dict[str, Task]:
    return real_tasks()


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("name", REAL)
def test_rows_are_as_good_as_they_were(tasks: dict[str, Task], name: str, training: str):
    scores = trained_scores(tasks[name], training, NEW_SEED)

    gates = known_gates()
    for measure, score in scores._asdict().items():
        gate = gates[f"{name}, {training}, {measure}"]
        assert score >= gate.least(usual_sd(gates, training, measure)), (measure, gate)
