"""TVAE: an encoder to a normal latent and a decoder back, whose outputs are distributions that rows are drawn from.

Source: Xu et al. 2019, arXiv:1907.00503, section 4.4; Kingma & Welling 2014, arXiv:1312.6114, appendix B.
The two networks are those of the `ctgan` package. Shapes: B rows of a batch, D row width, E width of the latent.
"""

from functools import lru_cache
from typing import Any, ClassVar, cast

import numpy as np
import torch
from ctgan.synthesizers.tvae import Decoder, Encoder
from torch import Tensor, nn

from synthgen_ray.domain.params import ModelType, TVAEParams
from synthgen_ray.synthesizers.base import Targets
from synthgen_ray.synthesizers.codec import Encoded
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.folded import Dense, FoldedNetwork
from synthgen_ray.synthesizers.neural import NeuralSynthesizer
from synthgen_ray.synthesizers.numerics.noise import normals
from synthgen_ray.synthesizers.numerics.streams import TRAIN, stream
from synthgen_ray.synthesizers.sampling.conditions import Heads
from synthgen_ray.synthesizers.training import parallel
from synthgen_ray.synthesizers.training.adam import Adam
from synthgen_ray.synthesizers.training.draws import Draws, start_weights
from synthgen_ray.synthesizers.training.pace import Pace
from synthgen_ray.synthesizers.training.training_state import TrainingState

NARROWEST, WIDEST = 0.01, 1.0  # of a scalar's standard deviation


class TVAE(NeuralSynthesizer):
    model_type: ClassVar[ModelType] = ModelType.TVAE
    params: TVAEParams

    def _new_network(self) -> nn.Module:
        decoder: nn.Module = Decoder(self.params.embedding_dim, self.params.decompress_dims, self.layout.width)
        return decoder

    def _train(self, decoder: nn.Module, encoded: Encoded, seed: int, pace: Pace) -> None:
        options, layout = self.params, self.layout
        encoder = Encoder(layout.width, options.compress_dims, options.embedding_dim).to(self._device, torch.float32)
        start_weights(decoder, seed, 0)
        start_weights(encoder, seed, 1)
        parameters = [*encoder.parameters(), *decoder.parameters()]
        adam = Adam(parameters, decay=options.l2scale)
        codes_NK = torch.from_numpy(encoded.codes).to(self._device)
        scalars_NS = torch.from_numpy(encoded.scalars).to(self._device)
        starts = range(0, len(encoded.codes), options.batch_size)
        state = TrainingState(encoder=encoder, decoder=decoder, adam=adam)

        @lru_cache(maxsize=1)
        def order(epoch: int) -> np.ndarray:
            return stream(seed, TRAIN, epoch, 0).permutation(len(encoded.codes))

        for epoch, step in pace.steps(options.epochs, len(starts), state):
            rows = order(epoch)[starts[step] : starts[step] + options.batch_size]
            share = parallel.share(len(rows), may_idle=True)  # the last batch of an epoch can be small
            draws = Draws(seed, epoch * len(starts) + step, share, self._device)
            rows_B = draws.placed(rows)
            codes_BK = codes_NK[rows_B].long()
            real_BD = layout.rows(codes_BK, scalars_NS[rows_B])

            # What autocast may have narrowed is widened before anything is computed of it.
            mean_BE, sd_BE, log_variance_BE = (part.to(real_BD.dtype) for part in encoder(real_BD))
            latent_BE = mean_BE + sd_BE * draws.normal(options.embedding_dim)
            logits_BD, sigma_D = decoder(latent_BE)
            logits_BD = logits_BD.to(real_BD.dtype)
            reconstruction = options.loss_factor * reconstruction_loss(
                logits_BD, sigma_D, codes_BK, scalars_NS[rows_B], layout
            )
            divergence = kl_divergence(mean_BE, log_variance_BE)

            parallel.descend(adam, reconstruction + divergence, share.weight)
            cast(nn.Parameter, decoder.sigma).data.clamp_(NARROWEST, WIDEST)
            losses = {"reconstruction": reconstruction.detach(), "kl": divergence.detach()}
            pace.after_step(epoch, step, options.epochs, len(starts), losses)
            if parallel.anyone(pace.is_over, pace.is_limited, self._device):
                break

    def _folded(self) -> FoldedNetwork:
        layers = cast(nn.Sequential, self.network.seq)
        return FoldedNetwork.of_chain([Dense.of(layer) for layer in layers if isinstance(layer, nn.Linear)])

    def _propose(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Heads:  # noqa: ARG002
        latent_EB = torch.from_numpy(normals(rng, self.params.embedding_dim, num_rows)).to(self._device)
        logits_DB = self.folded.logits(latent_EB)
        sigma_D = cast(Tensor, self.network.sigma)
        return Heads(logits_DB.cpu().numpy().T, sigma_D.cpu().numpy()[self.layout.scalars_S])


def reconstruction_loss(
    logits_BD: Tensor, sigma_D: Tensor, codes_BK: Tensor, scalars_BS: Tensor, layout: Layout
) -> Tensor:
    """Minus the log likelihood of the rows, constants left out: codes by softmax, scalars by a normal around tanh.

    Mean over the batch. Source: Xu et al. 2019, section 4.4.
    """
    places_S = torch.as_tensor(layout.scalars_S, device=logits_BD.device)
    sigma_S = sigma_D[places_S]
    off_BS = (scalars_BS - torch.tanh(logits_BD[:, places_S])) / sigma_S
    loss = off_BS.square().sum() / 2 / len(logits_BD) + torch.log(sigma_S).sum()
    codes_loss: Tensor = _CodesLoss.apply(logits_BD, codes_BK, layout)  # type: ignore[no-untyped-call]
    return loss + codes_loss


class _CodesLoss(torch.autograd.Function):
    """The cross-entropies of all columns, summed, mean over the batch. Their gradient: softmax minus one-hot codes."""

    @staticmethod
    def forward(ctx: Any, logits_BD: Tensor, codes_BK: Tensor, layout: Layout) -> Tensor:
        log_shares_BD = layout.log_shares(logits_BD)
        places_BK = layout.places(codes_BK)
        loss = -log_shares_BD.gather(1, places_BK).sum() / len(logits_BD)
        slope_BD = log_shares_BD.exp_()
        slope_BD.scatter_add_(1, places_BK, slope_BD.new_full((), -1.0).expand(places_BK.shape))
        slope_BD[:, torch.as_tensor(layout.scalars_S, device=slope_BD.device)] = 0
        ctx.save_for_backward(slope_BD.div_(len(logits_BD)))
        return loss

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (slope_BD,) = ctx.saved_tensors
        return slope_BD * gradient, None, None


def kl_divergence(mean_BE: Tensor, log_variance_BE: Tensor) -> Tensor:
    """From the encoder's normal to the standard one, mean over the batch (Kingma & Welling 2014, appendix B)."""
    return (mean_BE.square() + log_variance_BE.exp() - 1 - log_variance_BE).sum() / 2 / len(mean_BE)
