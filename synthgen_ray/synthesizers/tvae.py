"""TVAE: an encoder to a normal latent and a decoder back, whose outputs are distributions that rows are drawn from.

Source: Xu et al. 2019, arXiv:1907.00503, section 4.4; Kingma & Welling 2014, arXiv:1312.6114, appendix B.
The two networks are those of the `ctgan` package. Shapes: B rows of a batch, D row width, E width of the latent.
"""

from functools import lru_cache
from typing import ClassVar, cast

import numpy as np
import torch
from ctgan.synthesizers.tvae import Decoder, Encoder
from torch import Tensor, nn

from synthgen_ray.domain.params import ModelType, TVAEParams
from synthgen_ray.synthesizers.base import Targets
from synthgen_ray.synthesizers.codec import Encoded
from synthgen_ray.synthesizers.networks.autoencoder import autoencoder_gradients
from synthgen_ray.synthesizers.networks.folded import Dense, FoldedNetwork
from synthgen_ray.synthesizers.networks.layers import linear_layers
from synthgen_ray.synthesizers.neural import NeuralSynthesizer
from synthgen_ray.synthesizers.numerics.streams import TRAIN, stream
from synthgen_ray.synthesizers.sampling.conditions import Heads
from synthgen_ray.synthesizers.training import parallel
from synthgen_ray.synthesizers.training.adam import Adam
from synthgen_ray.synthesizers.training.draws import Draws, start_weights
from synthgen_ray.synthesizers.training.pace import Pace
from synthgen_ray.synthesizers.training.training_state import TrainingState

NARROWEST, WIDEST = 0.01, 1.0  # of a scalar's standard deviation


class TVAE(NeuralSynthesizer):
    """Options: `domain.params.TVAEParams`, with the names and defaults of the `ctgan` package."""

    model_type: ClassVar[ModelType] = ModelType.TVAE
    params: TVAEParams

    def _new_network(self) -> nn.Module:
        decoder: nn.Module = Decoder(self.params.embedding_dim, self.params.decompress_dims, self.layout.width)
        return decoder

    def _train(self, decoder: nn.Module, encoded: Encoded, seed: int, pace: Pace) -> None:
        options, layout = self.params, self.layout
        with torch.random.fork_rng(devices=[]):
            encoder = Encoder(layout.width, options.compress_dims, options.embedding_dim)
        encoder = encoder.to(self._device, torch.float32)
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
            losses = autoencoder_gradients(
                encoder,
                decoder,
                codes_NK[rows_B].long(),
                scalars_NS[rows_B],
                draws.normal(options.embedding_dim),
                layout,
                factor=options.loss_factor,
                weight=share.weight,
            )
            parallel.follow_gradients(adam)
            cast(nn.Parameter, decoder.sigma).data.clamp_(NARROWEST, WIDEST)
            pace.after_step(epoch, step, options.epochs, len(starts), losses._asdict())
            if parallel.anyone(pace.is_over, pace.is_limited, self._device):
                break

    def _folded(self) -> FoldedNetwork:
        return FoldedNetwork.of_chain([Dense.of(layer) for layer in linear_layers(self.network)])

    def _propose(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Heads:  # noqa: ARG002
        logits_DB = self.folded.logits(self.folded.latent(num_rows, rng))
        sigma_D = cast(Tensor, self.network.sigma)
        return Heads(logits_DB.cpu().numpy().T, sigma_D.cpu().numpy()[self.layout.scalars_S])
