"""How an encoder to a normal latent and a decoder back learn together, without automatic differentiation.

Both are the `ctgan` package's, chains of linear layers and ReLUs, so that the loss has gradients in closed form.
Shapes: B rows of a batch, D row width, E width of the latent, H of a hidden layer, K columns, S of them with a scalar.
Source: Kingma & Welling 2014, arXiv:1312.6114, section 2.3 and appendix B; Xu et al. 2019, arXiv:1907.00503, 4.4.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.layers import linear, linear_layers, product


class Losses(NamedTuple):
    """The parts of the loss, means over the batch."""

    reconstruction: Tensor  # times its factor
    kl: Tensor


class Reconstruction(NamedTuple):
    loss: Tensor
    slope_BD: Tensor  # its gradient with respect to the logits
    slope_D: Tensor  # and to the standard deviations of scalars; 0 elsewhere


@torch.no_grad()
def autoencoder_gradients(
    encoder: nn.Module,
    decoder: nn.Module,
    codes_BK: Tensor,
    scalars_BS: Tensor,
    noise_BE: Tensor,
    layout: Layout,
    *,
    factor: float,
    weight: float = 1.0,
) -> Losses:
    """Sets the gradients of `factor` times the reconstruction loss plus the divergence, all times `weight`.

    Up, with ε the noise: the encoder says μ and ln σ², and the decoder makes logits of z = μ + σ ε.
    Down, δ being gradients: δμ = δz + μ / B and δ ln σ² = (σ (ε δz + σ / B) - 1 / B) / 2.
    """
    *encoding, to_mean, to_log_variance = linear_layers(encoder)
    decoding, sigma_D = linear_layers(decoder), cast(nn.Parameter, decoder.sigma)

    seen = _up(encoding, layout.rows(codes_BK, scalars_BS))
    mean_BE, log_variance_BE = linear(seen[-1], to_mean), linear(seen[-1], to_log_variance)
    sd_BE = (log_variance_BE / 2).exp_()
    said = _up(decoding[:-1], torch.addcmul(mean_BE, sd_BE, noise_BE))
    logits_BD = linear(said[-1], decoding[-1])
    reconstruction = reconstruct(logits_BD, sigma_D, codes_BK, scalars_BS, layout)
    losses = Losses(reconstruction.loss * factor, kl_divergence(mean_BE, sd_BE, log_variance_BE))

    sigma_D.grad = reconstruction.slope_D.mul_(factor * weight)
    slope_BH = _down(decoding, said, reconstruction.slope_BD.mul_(factor * weight))
    slope_BE, each = product(slope_BH, decoding[0].weight), weight / len(mean_BE)
    mean_slope_BE = torch.add(slope_BE, mean_BE, alpha=each)
    log_variance_slope_BE = slope_BE.mul_(noise_BE).add_(sd_BE, alpha=each).mul_(sd_BE).sub_(each).div_(2)
    _learn(to_mean, seen[-1], mean_slope_BE)
    _learn(to_log_variance, seen[-1], log_variance_slope_BE)
    slope_BH = product(mean_slope_BE, to_mean.weight) + product(log_variance_slope_BE, to_log_variance.weight)
    _down(encoding, seen[:-1], _through_relu(slope_BH, seen[-1]))
    return losses


def reconstruct(
    logits_BD: Tensor, sigma_D: Tensor, codes_BK: Tensor, scalars_BS: Tensor, layout: Layout
) -> Reconstruction:
    """Minus the log likelihood of the rows, constants left out, mean over the batch, and its gradients.

    Codes are by softmax: δ of their logits is softmax minus one-hot. Scalars x are normal around tanh ℓ: with
    o = (x - tanh ℓ) / σ it is -o (1 - tanh² ℓ) / σ of the logit, and (1 - o²) / σ of the standard deviation.
    """
    rows, scalars = len(logits_BD), slice(0, scalars_BS.shape[1])
    logits_DB, places_KB = layout.by_width(logits_BD), layout.places_by_width(codes_BK)
    sigma_S1 = layout.by_width(sigma_D[None])[scalars]
    mean_SB = torch.tanh(logits_DB[scalars])
    off_SB = (scalars_BS.T - mean_SB) / sigma_S1
    slope_DB = layout.by_column(torch.softmax, logits_DB)
    chances_KB = slope_DB.gather(0, places_KB).clamp_(min=torch.finfo(slope_DB.dtype).tiny)
    loss = (off_SB.square().sum() / 2 - chances_KB.log_().sum()) / rows + torch.log(sigma_S1).sum()

    slope_DB.scatter_add_(0, places_KB, slope_DB.new_full((), -1.0).expand(places_KB.shape))
    slope_DB[scalars] = off_SB * (mean_SB.square() - 1) / sigma_S1
    slope_D1 = torch.zeros_like(sigma_D)[:, None]
    slope_D1[scalars] = ((1 - off_SB.square()) / sigma_S1).mean(1, keepdim=True)
    return Reconstruction(loss, layout.as_rows(slope_DB.div_(rows)), layout.as_rows(slope_D1)[0])


def kl_divergence(mean_BE: Tensor, sd_BE: Tensor, log_variance_BE: Tensor) -> Tensor:
    """From the encoder's normal to the standard one, mean over the batch (Kingma & Welling 2014, appendix B)."""
    squares = torch.dot(mean_BE.flatten(), mean_BE.flatten()) + torch.dot(sd_BE.flatten(), sd_BE.flatten())
    return (squares - mean_BE.numel() - log_variance_BE.sum()) / 2 / len(mean_BE)


def _up(layers: Sequence[nn.Linear], input_BH: Tensor) -> list[Tensor]:
    """The input of each layer of a chain with ReLUs, and what comes out of it."""
    seen = [input_BH]
    for layer in layers:
        seen.append(linear(seen[-1], layer).relu_())
    return seen


def _down(layers: Sequence[nn.Linear], inputs: Sequence[Tensor], slope_BH: Tensor) -> Tensor:
    """Sets the gradients of a chain, from that with respect to what its last layer says to that of its first."""
    for layer, input_BH in zip(layers[:0:-1], inputs[:0:-1], strict=True):
        _learn(layer, input_BH, slope_BH)
        slope_BH = _through_relu(product(slope_BH, layer.weight), input_BH)
    _learn(layers[0], inputs[0], slope_BH)
    return slope_BH


def _learn(layer: nn.Linear, input_BH: Tensor, slope_BH: Tensor) -> None:
    layer.weight.grad, layer.bias.grad = product(slope_BH.T, input_BH), slope_BH.sum(0)


def _through_relu(slope_BH: Tensor, said_BH: Tensor) -> Tensor:
    """0 where the ReLU was closed."""
    through: Tensor = torch.ops.aten.threshold_backward(slope_BH, said_BH, 0)
    return through
