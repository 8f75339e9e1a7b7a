import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.plateau import PATIENCE, Plateau
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(3)
FIRST = RNG.integers(0, 40, 20_000)
TABLE = np.stack([FIRST, FIRST // 2, RNG.integers(0, 3, len(FIRST))], axis=1)


def given_drawn(truth: float, rows: int = 10_000) -> np.ndarray:
    """Rows of the table, the second column of some of them shuffled."""
    drawn = TABLE[RNG.integers(len(TABLE), size=rows)].copy()
    false = RNG.random(rows) > truth
    drawn[false, 1] = RNG.permutation(drawn[false, 1])
    return drawn


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


@pytest.mark.parametrize("model_type", [ModelType.TVAE, ModelType.CTGAN])
def test_a_training_that_has_settled_ends_and_its_model_is_whole(model_type):
    coins = pa.table({name: RNG.integers(0, 2, 300).astype(str) for name in "ab"})
    said = []

    model = given_model(
        model_type, coins, infer_columns(coins), epochs=120, early_stop=True, refine=False, on_progress=said.append
    )

    epochs = sum(progress.message.startswith("epoch") for progress in said)
    assert PATIENCE * 4 < epochs < 120
    assert model.sample(100, seed=1).num_rows == 100


def test_without_it_every_epoch_is_trained():
    said = []

    given_model(ModelType.TVAE, epochs=40, refine=False, on_progress=said.append)

    assert said[-2].message == "calibrating"
    assert "epoch 40 of 40" in [progress.message for progress in said]
