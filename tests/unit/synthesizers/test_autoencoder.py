"""The closed forms of a step are what automatic differentiation finds of the `ctgan` package's networks."""

import numpy as np
import pytest
import torch
from ctgan.synthesizers.tvae import Decoder, Encoder
from torch import nn
from torch.distributions import Categorical, Normal
from torch.distributions import kl_divergence as divergence_of

from synthgen_ray.synthesizers.networks.autoencoder import autoencoder_gradients, kl_divergence, reconstruct
from tests.unit.synthesizers.test_networks import LAYOUT

FACTOR, WEIGHT, LATENT = 3.0, 0.25, 5


@pytest.mark.parametrize("hidden", [[7], [7, 6], [4, 8, 6]])
def test_a_step_has_the_gradients_of_automatic_differentiation(hidden):
    torch.manual_seed(0)
    encoder, decoder = Encoder(10, hidden, LATENT).double(), Decoder(LATENT, hidden, 10).double()
    codes, scalars = torch.randint(2, (6, 3)), torch.rand(6, 1, dtype=torch.float64)
    noise = torch.randn(6, LATENT, dtype=torch.float64)
    weights = [*encoder.parameters(), *decoder.parameters()]

    losses = autoencoder_gradients(encoder, decoder, codes, scalars, noise, LAYOUT, factor=FACTOR, weight=WEIGHT)

    mean, sd, _ = encoder(LAYOUT.rows(codes, scalars))
    logits, sigma = decoder(mean + sd * noise)
    likelihood = Normal(torch.tanh(logits[:, :1]), sigma[0]).log_prob(scalars).sum() + sum(
        Categorical(logits=logits[:, span]).log_prob(codes[:, column]).sum() for column, span in enumerate(LAYOUT.spans)
    )
    divergence = divergence_of(Normal(mean, sd), Normal(0.0, 1.0)).sum() / 6
    loss = WEIGHT * (divergence - FACTOR * likelihood / 6)
    for weight, expected in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        assert torch.allclose(weight.grad, expected, rtol=1e-10, atol=1e-12)
    assert losses.kl.item() == pytest.approx(divergence.item(), rel=1e-10)
    without_constants = -likelihood.item() / 6 - np.log(2 * np.pi) / 2
    assert losses.reconstruction.item() == pytest.approx(FACTOR * without_constants, rel=1e-10)


def test_kl_divergence_to_the_standard_normal():
    mean, variance = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 4.0]])

    divergence = kl_divergence(mean, variance.sqrt(), torch.log(variance))

    assert divergence.item() == pytest.approx(0.5 + (4 - 1 - np.log(4)) / 2)


def test_reconstruction_is_the_negative_log_likelihood():
    logits, sigma = torch.randn(1, 10), torch.full((10,), 0.5)

    loss = reconstruct(logits, sigma, torch.tensor([[1, 2, 3]]), torch.tensor([[0.25]]), LAYOUT).loss

    normal = torch.distributions.Normal(torch.tanh(logits[0, 0]), 0.5).log_prob(torch.tensor(0.25))
    codes = sum(torch.log_softmax(logits[0, span], 0)[code] for span, code in zip(LAYOUT.spans, (1, 2, 3), strict=True))
    assert loss.item() == pytest.approx(-(normal + codes).item() - np.log(2 * np.pi) / 2, rel=1e-5)


def test_reconstruction_is_a_sum_of_cross_entropies_and_has_their_gradients():
    torch.manual_seed(0)
    logits, sigma = torch.randn(6, 10, dtype=torch.float64), torch.rand(10, dtype=torch.float64) + 0.1
    codes, scalars = torch.randint(2, (6, 3)), torch.rand(6, 1, dtype=torch.float64)
    inputs = [logits.requires_grad_(), sigma.requires_grad_()]

    loss, *gradients = reconstruct(logits.detach(), sigma.detach(), codes, scalars, LAYOUT)

    off = (scalars[:, 0] - torch.tanh(logits[:, 0])) / sigma[0]
    expected = (off.square() / 2 + torch.log(sigma[0])).mean() + sum(
        nn.functional.cross_entropy(logits[:, span], codes[:, place]) for place, span in enumerate(LAYOUT.spans)
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for gradient, other in zip(gradients, torch.autograd.grad(expected, inputs), strict=True):
        assert torch.allclose(gradient, other, rtol=1e-12, atol=1e-12)
