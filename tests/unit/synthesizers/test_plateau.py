from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.params import EARLY_STOP, ModelType
from synthgen_ray.synthesizers import neural
from synthgen_ray.synthesizers.training.plateau import (
    BATCHES_BETWEEN_LOOKS,
    DRAWN_ROWS,
    MOST_PAIRS,
    PATIENCE,
    Plateau,
    _some_pairs,
)
from synthgen_ray.synthesizers.tvae import TVAE
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(3)
FIRST = RNG.integers(0, 40, 20_000)
COINS = pa.table({name: RNG.integers(0, 2, 300).astype(str) for name in "ab"})
TABLE = np.stack([FIRST, FIRST // 2, RNG.integers(0, 3, len(FIRST))], axis=1)


def given_drawn(truth: float, rows: int = 10_000) -> np.ndarray:
    """Rows of the table, the second column of some of them shuffled."""
    drawn = TABLE[RNG.integers(len(TABLE), size=rows)].copy()
    false = RNG.random(rows) > truth
    drawn[false, 1] = RNG.permutation(drawn[false, 1])
    return drawn


@pytest.mark.parametrize("columns", [2, 3, 20, 21])
def test_all_pairs_of_columns_are_looked_at_up_to_some(columns):
    pairs = {tuple(pair) for pair in _some_pairs(columns, np.random.default_rng(0)).tolist()}

    assert pairs <= set(combinations(range(columns), 2))
    assert len(pairs) == min(columns * (columns - 1) // 2, MOST_PAIRS)


def test_rows_as_in_the_table_are_near_and_shuffled_ones_are_not():
    plateau = Plateau(TABLE, RNG)

    assert plateau.distance(given_drawn(1.0)) < 0.03
    assert plateau.distance(given_drawn(0.0)) > 0.15


def test_training_goes_on_while_rows_get_nearer():
    plateau = Plateau(TABLE, RNG)

    assert not any(plateau.is_reached(given_drawn(truth)) for truth in np.linspace(0, 1, 12))


def test_training_ends_after_a_few_looks_without_a_new_best():
    plateau = Plateau(TABLE, RNG)
    plateau.is_reached(given_drawn(0.9))

    reached = [plateau.is_reached(given_drawn(0.2)) for _ in range(PATIENCE)]

    assert reached == [False] * (PATIENCE - 1) + [True]


def test_codes_that_the_table_does_not_have_count_as_rare_ones():
    plateau = Plateau(TABLE[:50], RNG)

    assert plateau.distance(TABLE[:50]) == pytest.approx(0)
    assert plateau.distance(TABLE[:50] + 1000) > 0.5


def test_of_a_long_table_some_rows_are_enough(monkeypatch):
    monkeypatch.setattr("synthgen_ray.synthesizers.training.plateau.MOST_ROWS", 5000)

    some = Plateau(TABLE, RNG)

    assert some.distance(TABLE) == pytest.approx(0, abs=0.08)
    assert some.distance(given_drawn(0.0)) > 0.15


@pytest.mark.parametrize("model_type", [ModelType.TVAE, ModelType.CTGAN])
def test_a_training_that_has_settled_ends_and_its_model_is_whole(model_type, monkeypatch):
    monkeypatch.setattr(neural, "BATCHES_BETWEEN_LOOKS", 10)
    said = []

    model = given_model(
        model_type, COINS, infer_columns(COINS), epochs=120, early_stop=True, refine=False, on_progress=said.append
    )

    assert (PATIENCE + 1) * 4 <= epochs_of(said) < 120  # of three batches each, a look after four
    assert f"epoch {epochs_of(said)} of 120, settled" in [progress.message for progress in said]
    assert model.sample(100, seed=1).num_rows == 100


def test_a_look_holds_no_more_logits_than_calibration(monkeypatch):
    monkeypatch.setattr(neural, "BATCHES_BETWEEN_LOOKS", 3)
    monkeypatch.setattr(neural, "MOST_LOGITS", 8000)
    proposed = []

    class Counted(TVAE):
        def _propose(self, num_rows, targets, rng):
            heads = super()._propose(num_rows, targets, rng)
            proposed.append(heads.logits_BD.shape)
            return heads

    Counted(epochs=1, batch_size=100, refine=False, calibrate=False, seed=1).fit(COINS, infer_columns(COINS))

    assert sum(rows for rows, _ in proposed) == DRAWN_ROWS
    assert max(rows * width for rows, width in proposed) <= 8000 + 4


def test_a_training_of_few_batches_takes_all_its_epochs():
    said = []

    given_model(ModelType.TVAE, COINS, infer_columns(COINS), epochs=200, refine=False, on_progress=said.append)

    assert epochs_of(said) == 200
    assert said[-2].message == "calibrating"
    assert "epoch 200 of 200" in [progress.message for progress in said]


def test_epochs_of_less_than_a_batch_are_looked_at_as_if_they_had_one(monkeypatch):
    """An epoch has no fewer: of 500 rows, in batches of up to 5,000, looks came every 5,000 epochs."""
    looks = []
    monkeypatch.setattr(Plateau, "is_reached", lambda *_: looks.append(1) or False)

    given_model(ModelType.TVAE, epochs=1000, batch_size=5000, early_stop=True)

    assert len(looks) == 1000 // BATCHES_BETWEEN_LOOKS


def test_what_users_are_told_of_it_is_what_it_does():
    assert f"for {BATCHES_BETWEEN_LOOKS * PATIENCE:,} batches and five epochs" in EARLY_STOP
    assert PATIENCE == 5


@pytest.mark.parametrize(
    ("model_type", "options"),
    [
        (ModelType.TVAE, {"early_stop": False}),
        (ModelType.CTGAN, {}),
        (ModelType.CTGAN, {"early_stop": True, "sampling": "ctgan"}),
    ],
)
def test_all_epochs_are_taken(model_type, options, monkeypatch):
    monkeypatch.setattr(neural, "BATCHES_BETWEEN_LOOKS", 3)
    said = []

    given_model(model_type, COINS, infer_columns(COINS), epochs=40, refine=False, on_progress=said.append, **options)

    assert epochs_of(said) == 40


def epochs_of(said: list[Progress]) -> int:
    return sum(progress.epochs for progress in said)
