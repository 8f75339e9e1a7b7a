"""A dependency network in whole numbers tells the chances that it tells in floats, however often cells change."""

import numpy as np
import pytest
import torch

from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.numerics import whole_products
from synthgen_ray.synthesizers.numerics.whole_products import has_units, steps
from synthgen_ray.synthesizers.refining.conditionals import FloatConditionals, most_said
from synthgen_ray.synthesizers.refining.quantized import QuantizedConditionals
from synthgen_ray.synthesizers.refining.refinement import Refinement
from synthgen_ray.synthesizers.refining.weights import DependencyWeights
from tests.unit.synthesizers import golden
from tests.unit.synthesizers.conftest import given_model

WIDTHS = np.array([2, 40, 7, 300, 3])
HIDDEN = 64
ROWS = 3000


@pytest.fixture
def weights() -> DependencyWeights:
    rng = np.random.default_rng(1)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    total = int(WIDTHS.sum())
    return DependencyWeights(
        normal(total + len(WIDTHS), HIDDEN), normal(HIDDEN), normal(total, HIDDEN) / HIDDEN**0.5, normal(total)
    )


@pytest.fixture
def codes_KB() -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.array([rng.integers(width, size=ROWS) for width in WIDTHS], dtype=np.int32)


def quantized(weights: DependencyWeights, codes_KB: np.ndarray) -> QuantizedConditionals:
    step_H = steps(most_said(weights, WIDTHS, codes_KB)).astype(np.float32)
    return QuantizedConditionals(FloatConditionals(weights, WIDTHS), step_H)


def bias(weights: DependencyWeights, place: int) -> np.ndarray:
    return np.split(weights.output_bias, np.cumsum(WIDTHS)[:-1])[place]


def test_it_tells_what_it_tells_in_floats_while_cells_change(weights, codes_KB):
    rng = np.random.default_rng(3)
    ours, theirs = quantized(weights, codes_KB).rows(codes_KB), FloatConditionals(weights, WIDTHS).rows(codes_KB)

    for place in (0, 3, 1, 4, 2):
        for rows in (ours, theirs):
            rows.hide(place, codes_KB[place])
        expected_WB, found_WB = (rows.logits(place, bias(weights, place)) for rows in (theirs, ours))
        new_B = rng.integers(WIDTHS[place], size=ROWS).astype(np.int32)
        for rows in (ours, theirs):
            rows.show(place, new_B)

        apart_W = np.sqrt(np.mean((found_WB - expected_WB) ** 2, axis=1)) / expected_WB.std(axis=1)
        assert found_WB.shape == (WIDTHS[place], ROWS)
        assert 1e-5 < apart_W.max() < 0.05


def test_it_does_not_drift(weights, codes_KB):
    conditionals, rng = quantized(weights, codes_KB), np.random.default_rng(3)
    rows, now_KB = conditionals.rows(codes_KB), codes_KB.copy()

    for place in [*range(len(WIDTHS))] * 20:
        rows.hide(place, now_KB[place])
        now_KB[place] = rng.integers(WIDTHS[place], size=ROWS)
        rows.show(place, now_KB[place])
    fresh = conditionals.rows(now_KB)
    for each in (rows, fresh):
        each.hide(1, now_KB[1])

    assert np.array_equal(rows.logits(1, bias(weights, 1)), fresh.logits(1, bias(weights, 1)))


@pytest.mark.skipif(not has_units(), reason="no units for whole numbers of 8 bits")
def test_units_and_floats_tell_the_same_bits_on_any_number_of_threads(monkeypatch, weights, codes_KB):
    def told() -> list[np.ndarray]:
        rows = quantized(weights, codes_KB).rows(codes_KB)
        logits = []
        for place, codes_B in enumerate(codes_KB):
            rows.hide(place, codes_B)
            logits.append(rows.logits(place, bias(weights, place)))
            rows.show(place, codes_B[::-1].copy())
        return logits

    expected = told()
    torch.set_num_threads(2)
    on_two = told()
    torch.set_num_threads(1)
    monkeypatch.setattr(whole_products, "has_units", lambda: False)
    in_floats = told()

    for place, logits in enumerate(expected):
        assert np.array_equal(on_two[place], logits)
        assert np.array_equal(in_floats[place], logits)


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.TVAE])
def test_a_networks_rows_are_refined_so_and_its_file_says_it(usual_model, model_type, tmp_path):
    model = usual_model(model_type)
    model.save(tmp_path / "model")

    kept = load(tmp_path / "model")._refinement

    assert kept.card.quantized
    assert kept.tensors()["steps"].shape == (kept.card.hidden,)
    assert kept.tensors().keys() == model._refinement.tensors().keys()


@pytest.mark.parametrize(
    ("model_type", "options"), [(ModelType.GAUSSIAN_COPULA, {"refine": True}), (ModelType.TVAE, {"quantize": False})]
)
def test_others_are_refined_in_floats(model_type, options):
    refinement = given_model(model_type, **options)._refinement

    assert not refinement.card.quantized
    assert "steps" not in refinement.tensors()


def test_a_file_of_before_is_refined_in_floats():
    assert not load(golden.file_of("tvae"))._refinement.card.quantized


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda tensors: {name: tensor for name, tensor in tensors.items() if name != "steps"},
        lambda tensors: tensors | {"steps": tensors["steps"][1:]},
        lambda tensors: tensors | {"steps": 0 * tensors["steps"]},
        lambda tensors: tensors | {"steps": -tensors["steps"]},
        lambda tensors: tensors | {"steps": np.nan * tensors["steps"]},
    ],
)
def test_steps_that_cannot_be_are_refused(usual_model, spoilt):
    model = usual_model(ModelType.TVAE)
    kept = model._refinement

    with pytest.raises(JobError) as raised:
        Refinement.restore(model.codec.learnt, kept.card, spoilt(kept.tensors()))
    assert raised.value.code == "model_corrupt"
