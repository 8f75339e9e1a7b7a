"""The rows are as good as when `gates.json` was measured, less three standard deviations between seeds.

Three real tables, all four types; the command that measures is in `gates`. A seed that was not measured is tried.
"""

import pytest

from tests.bench.tables import REAL, Task
from tests.quality.gates import CHANCE, TRAININGS, UNTOLD, known_gates, real_tasks, trained_scores, usual_sd

NEW_SEED = 1001


@pytest.fixture(scope="module")
def tasks(real_tables) -> dict[str, Task]:
    return real_tasks()


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("name", REAL)
def test_rows_are_as_good_as_they_were(tasks: dict[str, Task], name: str, training: str):
    scores = trained_scores(tasks[name], training, NEW_SEED)

    gates = known_gates()
    for measure, score in scores._asdict().items():
        gate = f"{name}, {training}, {measure}"
        if gate not in UNTOLD:
            assert score >= gates[gate].least(usual_sd(gates, training, measure)), (measure, gates[gate])


def test_rows_that_teach_nothing_pass_no_gate():
    gates = known_gates()
    least = {name: gate.least(usual_sd(gates, *name.split(", ")[1:])) for name, gate in gates.items()}

    assert {name for name, score in least.items() if name.endswith("auc") and score <= CHANCE} <= UNTOLD
