"""Columns of many categories that are a few numbers to the networks."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError

from synthgen_ray.domain.params import CTGANParams, ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.networks.critic import Critic, new_critic, score_and_slope
from synthgen_ray.synthesizers.networks.embedding import NUMBERS, Piece, Projected, pieces_of
from tests.unit.synthesizers.conftest import given_model
from tests.unit.synthesizers.test_networks import LAYOUT, Wide
from tests.unit.synthesizers.test_parallel import FirstStep

ABOVE = 2  # which embeds two columns of the small table, and leaves one of two categories and a boolean one-hot


@pytest.fixture(scope="module", params=[ModelType.CTGAN, ModelType.COPULAGAN])
def model(request):
    return given_model(request.param, embed_above=ABOVE)


def test_a_row_is_cut_where_an_embedded_column_begins_and_ends():
    layout = type(LAYOUT)([Wide(5), Wide(2, has_scalar=True), Wide(3), Wide(6), Wide(7)])

    assert pieces_of(layout, 4) == (
        Piece(slice(0, 5), slice(0, NUMBERS), True),
        Piece(slice(5, 11), slice(NUMBERS, NUMBERS + 6), False),
        Piece(slice(11, 17), slice(NUMBERS + 6, 2 * NUMBERS + 6), True),
        Piece(slice(17, 24), slice(2 * NUMBERS + 6, 3 * NUMBERS + 6), True),
    )


def test_numbers_of_a_column_are_no_categories():
    assert not any(piece.is_embedded for piece in pieces_of(type(LAYOUT)([Wide(50, has_scalar=True), Wide(3)]), 10))


def test_the_critic_tells_apart_categories_and_keeps_their_distances():
    projected, rows, places = a_projection(1000)

    seen = projected.packs(rows, places, 1).rows_PR

    assert torch.allclose(seen[:, -NUMBERS:].square().sum(1), torch.ones(len(seen)), atol=1e-5)
    apart, one_hot = torch.cdist(seen[:, :-NUMBERS], seen[:, :-NUMBERS]), torch.cdist(rows, rows)
    others = ~torch.eye(len(rows), dtype=torch.bool)
    assert (apart[others] / one_hot[others]).mean().item() == pytest.approx(1, abs=0.02)
    assert (apart[others] / one_hot[others]).min() > 0.5


def test_gradient_of_the_rows_is_that_of_automatic_differentiation():
    projected, rows, places = a_projection(30)
    critic = Critic(new_critic(projected.row_width, [8], 2), projected.row_width, 2)
    scales = [torch.ones(len(rows) // 2, 8)]
    rows.requires_grad_()
    packs = projected.packs(rows, places, 2)
    score_P1, slope_PR = score_and_slope(critic, packs, scales)
    z_PH = torch.nn.functional.leaky_relu(critic.first(packs.rows_PR, None), 0.2)
    (expected,) = torch.autograd.grad(critic.layers[0](z_PH).sum(), rows)

    assert torch.allclose(critic.layers[0](z_PH), score_P1, atol=1e-6)
    assert torch.allclose(projected.gradient(slope_PR), expected, atol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_folded_network_is_the_one_that_was_trained_and_calibrated(precision):
    model = given_model(ModelType.CTGAN, embed_above=ABOVE, precision=precision, quantize=False, refine=False)
    latent_BE = torch.randn(50, model.params.embedding_dim)
    places_B = torch.randint(model.layout.condition_width, (50,))

    logits_BD = model.network.generate(latent_BE, places_B)
    for span, codec in zip(model.layout.spans, model.codec.learnt, strict=True):
        logits_BD[:, span] += torch.tensor(codec.offsets)

    folded_DB = model.folded.logits(latent_BE.T.contiguous(), places_B)
    close = {"rtol": 1e-4, "atol": 1e-5} if precision == "fp32" else {"rtol": 0, "atol": 2**-5}
    assert torch.allclose(folded_DB.T, logits_BD, **close)


def test_rows_obey_conditions_on_embedded_columns(model):
    rows = model.sample(300, seed=3, conditions={"city": "Oslo", "grade": [1, 3]})

    assert rows["city"].unique().to_pylist() == ["Oslo"]
    assert set(rows["grade"].to_pylist()) == {1, 3}
    assert len(rows["age"].unique()) > 20


def test_embedded_columns_have_the_tables_frequencies(model, table):
    rows = model.sample(4000, seed=5)

    for name in ("city", "grade"):
        share = {cell: rows[name].to_pylist().count(cell) / len(rows) for cell in rows[name].unique().to_pylist()}
        for cell, drawn in share.items():
            assert drawn == pytest.approx(table[name].to_pylist().count(cell) / len(table), abs=0.05)


def test_the_same_seed_gives_the_same_rows_also_from_its_file(model, tmp_path):
    again = given_model(model.model_type, embed_above=ABOVE)
    model.save(tmp_path / "model")

    rows = model.sample(500, seed=1)

    assert again.sample(500, seed=1).equals(rows)
    assert load(tmp_path / "model").sample(500, seed=1).equals(rows)


def test_a_training_goes_on_from_its_checkpoint():
    kept = FirstStep()
    whole = given_model(ModelType.CTGAN, embed_above=ABOVE, refine=False, checkpoints=kept)

    again = FirstStep(kept.checkpoint)
    resumed = given_model(ModelType.CTGAN, embed_above=ABOVE, refine=False, checkpoints=again)

    assert resumed.sample(200, seed=1).equals(whole.sample(200, seed=1))


def test_a_table_without_such_columns_is_learnt_as_ever():
    model, other = (given_model(ModelType.CTGAN, embed_above=above, refine=False) for above in (None, 50))

    assert model.sample(200, seed=1).equals(other.sample(200, seed=1))


def test_what_goes_with_a_category_is_learnt():
    shop = np.random.default_rng(1).integers(12, size=3000)
    table = pa.table({"shop": pa.array([f"s{one}" for one in shop]), "town": pa.array([f"t{one % 3}" for one in shop])})
    quick = {"epochs": 30, "generator_lr": 1e-3, "discriminator_lr": 1e-3, "refine": False, "holdout_fraction": 0.0}

    rows = given_model(ModelType.CTGAN, table, embed_above=6, **quick).sample(3000, seed=1).to_pydict()

    right = [int(shop[1:]) % 3 == int(town[1:]) for shop, town in zip(rows["shop"], rows["town"], strict=True)]
    assert np.mean(right) > 0.55  # by chance a third
    assert len(set(rows["shop"])) == 12


def test_the_other_packages_way_of_drawing_knows_none():
    with pytest.raises(ValidationError, match="no embeddings"):
        CTGANParams(embed_above=10, sampling="ctgan")


def a_projection(rows: int) -> tuple[Projected, torch.Tensor, torch.Tensor]:
    """Of a layout whose last column is embedded, one-hot rows and conditions."""
    layout = type(LAYOUT)([Wide(2, has_scalar=True), Wide(3), Wide(200)])
    projected = Projected(layout, pieces_of(layout, 3), np.random.default_rng(0), torch.device("cpu"))
    codes = torch.stack([torch.randint(width, (rows,)) for width in (2, 3, 200)], dim=1)
    codes[:, 2] = torch.arange(rows) % 200
    scalars = torch.linspace(-1, 1, rows)[:, None]
    return projected, layout.rows(codes, scalars), torch.randint(layout.condition_width, (rows,))
