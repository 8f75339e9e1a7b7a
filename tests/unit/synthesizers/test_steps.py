"""A training's first step is the one that automatic differentiation takes, over the `ctgan` package's own networks."""

import numpy as np
import pytest
import torch
from ctgan.synthesizers.ctgan import Discriminator, Generator
from ctgan.synthesizers.tvae import Decoder, Encoder
from torch import Tensor, nn
from torch.distributions import Categorical, Normal, kl_divergence

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.codec import Encoded
from synthgen_ray.synthesizers.ctgan import BETAS, Batches
from synthgen_ray.synthesizers.model_file import Tensors
from synthgen_ray.synthesizers.networks.critic import Critic, critic_loss, score
from synthgen_ray.synthesizers.numerics.streams import ENCODE, TRAIN, stream
from synthgen_ray.synthesizers.training.draws import Draws, start_weights
from synthgen_ray.synthesizers.training.parallel import Share
from tests.unit.synthesizers.conftest import given_model, given_table
from tests.unit.synthesizers.test_game import of_gradients
from tests.unit.synthesizers.test_parallel import FirstStep

SEED, HIDDEN, LATENT, BATCH, PAC = 7, (32,), 16, 100, 10
CPU = torch.device("cpu")


def first_step(model_type: ModelType, **options) -> tuple[Synthesizer, Encoded, Tensors]:
    kept = FirstStep()
    model = given_model(model_type, epochs=1, refine=False, calibrate=False, checkpoints=kept, **options)
    assert kept.checkpoint is not None
    return model, model.codec.encode(given_table()[0], stream(SEED, ENCODE, 1)), kept.checkpoint.tensors


def started(network: nn.Module, place: int) -> nn.Module:
    start_weights(network, SEED, place)
    return network.double()


def assert_moments_are(tensors: Tensors, adam: str, gradients: list[Tensor], share: float) -> None:
    """Adam's first ones are that share of the gradients."""
    largest = max(float(gradient.abs().max()) for gradient in gradients)
    for place, gradient in enumerate(gradients):
        moment = torch.from_numpy(tensors[f"{adam}.{place}.exp_avg"])
        assert torch.allclose(moment.double() / share, gradient, rtol=0, atol=1e-4 * largest), place


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.COPULAGAN])
def test_of_the_game(model_type):
    model, encoded, tensors = first_step(model_type)
    layout = model.layout
    batches = Batches(encoded, layout, model.params, SEED, CPU)
    generator = started(Generator(LATENT + layout.condition_width, HIDDEN, layout.width), 0)
    critic = started(Discriminator(layout.width + layout.condition_width, HIDDEN, PAC), 1)
    adam = torch.optim.Adam(critic.parameters(), model.params.discriminator_lr, BETAS)

    def beside(rows: Tensor, places: Tensor) -> Tensor:
        return torch.cat([rows.double(), layout.conditions(places).double()], dim=1)

    def packed(rows: Tensor, places: Tensor) -> Tensor:
        return beside(rows, places).reshape(BATCH // PAC, -1)

    batch, draws = batches.at(0)
    logits = generator(beside(draws.normal(LATENT), batch.places_B))
    fake = layout.activate(logits, draws.gumbel(layout.width).double()).detach()
    mix, scales = draws.uniform(1, PAC).double(), [scale.double() for scale in draws.dropout(HIDDEN, PAC, times=3)]
    packs = packed(batch.real_BD, batch.real_places_B), packed(fake, batch.places_B)
    critic_loss(critic, *packs, mix, scales).backward()
    of_critic = [weight.detach() for weight in Critic(of_gradients(critic), layout.width, PAC).parameters()]
    adam.step()

    # The generator learns by other rows of the same logits.
    fake = layout.activate(logits, draws.gumbel(layout.width).double())
    scales = [scale.double() for scale in draws.dropout(HIDDEN, PAC)]
    spans = [layout.spans[column] for column in layout.discrete]
    shares = torch.cat([torch.log_softmax(logits[:, span], dim=1) for span in spans], dim=1)
    obedience = -shares[torch.arange(BATCH), batch.places_B].mean()
    (obedience - score(critic, packed(fake, batch.places_B), scales).mean()).backward()

    assert_moments_are(tensors, "critic_adam", of_critic, 1 - BETAS[0])
    assert_moments_are(tensors, "generator_adam", [weight.grad for weight in generator.parameters()], 1 - BETAS[0])


def test_of_a_tvae():
    model, encoded, tensors = first_step(ModelType.TVAE)
    layout, rows = model.layout, stream(SEED, TRAIN, 0, 0).permutation(len(encoded.codes))[:BATCH]
    decoder = started(Decoder(LATENT, HIDDEN, layout.width), 0)
    encoder = started(Encoder(layout.width, HIDDEN, LATENT), 1)
    codes, scalars = (torch.from_numpy(part[rows]) for part in (encoded.codes.astype(np.int64), encoded.scalars))

    mean, sd, _ = encoder(layout.rows(codes, scalars).double())
    noise = Draws(SEED, 0, Share(BATCH, 0, BATCH), CPU).normal(LATENT)
    logits, sigma = decoder(mean + sd * noise.double())
    numbers = Normal(torch.tanh(logits[:, layout.scalars_S]), sigma[layout.scalars_S]).log_prob(scalars.double())
    likelihood = numbers.sum() + sum(
        Categorical(logits=logits[:, span]).log_prob(codes[:, column]).sum() for column, span in enumerate(layout.spans)
    )
    divergence = kl_divergence(Normal(mean, sd), Normal(0.0, 1.0)).sum()
    ((divergence - model.params.loss_factor * likelihood) / BATCH).backward()

    weights = [*encoder.parameters(), *decoder.parameters()]
    unused = torch.zeros(())
    gradients = [unused.expand_as(weight) if weight.grad is None else weight.grad for weight in weights]
    assert_moments_are(tensors, "adam", gradients, 0.1)
