"""CTGAN: a generator and a critic that play against each other, row by row, under conditions.

Source: Xu et al. 2019, arXiv:1907.00503, section 4; the critic's loss: Gulrajani et al. 2017, arXiv:1704.00028;
packs: Lin et al. 2018, arXiv:1712.04086. The two networks are those of the `ctgan` package.
Shapes: B rows of a batch, D row width, C condition width, E width of the latent, Q discrete columns.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from synthgen_ray.domain.params import CTGANParams, ModelType
from synthgen_ray.synthesizers.base import Targets
from synthgen_ray.synthesizers.codec import CodecOptions, Encoded
from synthgen_ray.synthesizers.columns.category import CategoryCodec, CategoryTarget
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.critic import (
    Critic,
    critic_gradients,
    new_critic,
    score_and_slope,
)
from synthgen_ray.synthesizers.networks.embedding import (
    EmbeddingGenerator,
    FoldedHeads,
    OneHot,
    Piece,
    Projected,
    View,
    pieces_of,
)
from synthgen_ray.synthesizers.networks.folded import FoldedNetwork
from synthgen_ray.synthesizers.networks.generator import condition_loss, dense_layers, generate, new_generator
from synthgen_ray.synthesizers.neural import NeuralSynthesizer
from synthgen_ray.synthesizers.numerics.noise import normals
from synthgen_ray.synthesizers.numerics.streams import WEIGHTS, stream
from synthgen_ray.synthesizers.numerics.threads import one_torch_thread
from synthgen_ray.synthesizers.sampling.conditions import Heads
from synthgen_ray.synthesizers.training import parallel
from synthgen_ray.synthesizers.training.adam import Adam
from synthgen_ray.synthesizers.training.compiling import compiled
from synthgen_ray.synthesizers.training.draws import Draws, start_weights
from synthgen_ray.synthesizers.training.pace import Pace
from synthgen_ray.synthesizers.training.training_by_sampling import ConditionSampler, cumulated_chances, draw_places
from synthgen_ray.synthesizers.training.training_state import TrainingState

BETAS = (0.5, 0.9)  # of both players' Adam


@dataclass(frozen=True)
class Batch:
    """Real rows, and the places of the conditions that they and the generated rows fulfil (not in the same order)."""

    real_BD: Tensor
    real_places_B: Tensor | None
    places_B: Tensor | None


class CTGAN(NeuralSynthesizer):
    """Options: `domain.params.CTGANParams`, with the names and defaults of the `ctgan` package."""

    model_type: ClassVar[ModelType] = ModelType.CTGAN
    params: CTGANParams

    def _new_network(self) -> nn.Module:
        latent_width, hidden, layout = self.params.embedding_dim, self.params.generator_dim, self.layout
        if self._embedded:
            return EmbeddingGenerator(latent_width, hidden, self._embedded, layout.condition_width)
        return new_generator(latent_width + layout.condition_width, hidden, layout.width)

    @property
    def _embedded(self) -> tuple[Piece, ...]:
        """The row in pieces, of which some are embedded; empty where none is."""
        if self.params.embed_above is None:
            return ()
        pieces = pieces_of(self.layout, self.params.embed_above)
        return pieces if any(piece.is_embedded for piece in pieces) else ()

    def _train(self, generator: nn.Module, encoded: Encoded, seed: int, pace: Pace) -> None:
        options, layout = self.params, self.layout
        view: View = OneHot(layout)
        if self._embedded:
            view = Projected(layout, self._embedded, stream(seed, WEIGHTS, 2), self._device)
        with torch.random.fork_rng(devices=[]):
            stock = new_critic(view.row_width + view.condition_width, options.discriminator_dim, options.pac)
        start_weights(generator, seed, 0)
        start_weights(stock, seed, 1)
        critic = Critic(stock, view.row_width, options.pac).to(self._device, torch.float32).requires_grad_(False)
        generator_adam = Adam(generator.parameters(), options.generator_lr, BETAS, options.generator_decay)
        critic_adam = Adam(critic.parameters(), options.discriminator_lr, BETAS, options.discriminator_decay)
        batches = Batches(encoded, layout, options, seed, self._device)
        steps = max(len(encoded.codes) // options.batch_size, 1)
        state = TrainingState(
            generator=generator, critic=critic, generator_adam=generator_adam, critic_adam=critic_adam
        )
        generator.train()
        learn, judge = critic_gradients, score_and_slope
        if options.compile:
            learn, judge = compiled(learn), compiled(judge)
        play = generator.generate if isinstance(generator, EmbeddingGenerator) else partial(generate, generator)

        for epoch, step in pace.steps(options.epochs, steps, state):
            first = (epoch * steps + step) * options.discriminator_steps
            for number in range(first, first + options.discriminator_steps):
                # The critic learns to tell real rows from generated ones.
                batch, draws = batches.at(number)
                logits_BD = play(draws.normal(options.embedding_dim), batch.places_B)
                fake_BD = layout.activate(logits_BD.detach(), draws.gumbel(layout.width))
                critic_loss = learn(
                    critic,
                    view.packs(batch.real_BD, batch.real_places_B, options.pac),
                    view.packs(fake_BD, batch.places_B, options.pac),
                    draws.uniform(1, options.pac),
                    draws.dropout(options.discriminator_dim, options.pac, times=3),
                    draws.share.weight,
                )
                parallel.follow_gradients(critic_adam)

            # The generator learns to fool the critic and to respect the condition: by other rows of its last logits.
            fake_BD = layout.activate(logits_BD.detach(), draws.gumbel(layout.width))
            scales = draws.dropout(options.discriminator_dim, options.pac)
            score_P1, slope_PR = judge(critic, view.packs(fake_BD, batch.places_B, options.pac), scales)
            slope_BD = view.gradient(slope_PR) * (-draws.share.weight / len(score_P1))
            obedience = condition_loss(logits_BD, batch.places_B, layout)
            generator_adam.zero_grad()
            torch.autograd.backward(
                [logits_BD, obedience * draws.share.weight], [layout.activation_gradient(fake_BD, slope_BD), None]
            )
            parallel.follow_gradients(generator_adam)

            losses = {"generator": obedience.detach() - score_P1.mean(), "discriminator": critic_loss}
            pace.after_step(epoch, step, options.epochs, steps, losses)
            if parallel.anyone(pace.is_over, pace.is_limited, self._device):
                break

    def _folded(self) -> FoldedNetwork | FoldedHeads:
        latent_width = self.params.embedding_dim
        if isinstance(self.network, EmbeddingGenerator):
            return self.network.folded(latent_width)
        return FoldedNetwork.of_skips(dense_layers(self.network), latent_width)

    def _propose(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Heads:
        if self._is_stock:
            return self._propose_as_ctgan(num_rows, targets, rng)
        latent = self.folded.latent(num_rows, rng)
        places_B = self._placed_conditions(num_rows, targets, rng)
        return self._heads(self.folded.logits(latent, places_B))

    @one_torch_thread()
    def _propose_as_ctgan(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Heads:
        rows = max(num_rows, self.params.batch_size)
        parts = [torch.from_numpy(normals(rng, rows, self.params.embedding_dim)).to(self._device)]
        places_B = self._placed_conditions(rows, targets, rng)
        if places_B is not None:
            parts.append(self.layout.conditions(places_B))
        logits_BD = with_batch_statistics(self.network)(torch.cat(parts, dim=1))[:num_rows]
        return self._heads(logits_BD.T.contiguous())

    def _heads(self, logits_DB: Tensor) -> Heads:
        return Heads(logits_DB.cpu().numpy().T, np.zeros(len(self.codec.numbers)))

    def _placed_conditions(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Tensor | None:
        if not self.layout.condition_width:
            return None
        return torch.from_numpy(self._condition_places(num_rows, targets, rng)).to(self._device)

    @property
    def _is_stock(self) -> bool:
        return self.params.sampling == "ctgan"

    @property
    def _may_end_early(self) -> bool:
        return self.params.early_stop and not self._is_stock

    @property
    def _is_calibrated(self) -> bool:
        return self.params.calibrate and not self._is_stock

    @property
    def _codec_options(self) -> CodecOptions:
        return replace(super()._codec_options, derived=not self._is_stock)

    @property
    def _is_refined(self) -> bool:
        return self.params.refine and not self._is_stock

    def _condition_places(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> np.ndarray:
        """Conditions at the true frequencies; of asked columns the one where least is left to ask for."""
        starts = np.append(self.layout.condition_starts, self.layout.condition_width)
        shares = [codec.shares for codec in self.codec.learnt if isinstance(codec, CategoryCodec)]
        names = [codec.name for codec in self.codec.learnt if isinstance(codec, CategoryCodec)]
        asked = [
            (share @ target.weights, place, share * target.weights)
            for place, (name, share) in enumerate(zip(names, shares, strict=True))
            if isinstance(target := targets.get(name), CategoryTarget)
        ]
        if not asked:
            log_frequency = self._is_stock and self.params.log_frequency
            weights = [np.log1p(share * self._trained_rows) for share in shares] if log_frequency else shares
            chances = cumulated_chances(np.concatenate(weights), starts)
            return draw_places(chances, starts, num_rows, rng)[1]
        total, place, left = min(asked, key=lambda one: one[0])
        return np.asarray(starts[place] + rng.choice(len(left), num_rows, p=left / total))


class Batches:
    """Every batch and its random numbers, from the seed and the batch's number alone."""

    def __init__(self, encoded: Encoded, layout: Layout, options: CTGANParams, seed: int, device: torch.device) -> None:
        self._codes_NK = torch.from_numpy(encoded.codes).to(device)
        self._scalars_NS = torch.from_numpy(encoded.scalars).to(device)
        self._layout = layout
        self._sampler = (
            ConditionSampler(encoded.codes[:, layout.discrete], layout, options.log_frequency)
            if len(layout.discrete)
            else None
        )
        self._share = parallel.share(options.batch_size, options.pac)
        self._seed, self._device = seed, device

    def at(self, number: int) -> tuple[Batch, Draws]:
        draws = Draws(self._seed, number, self._share, self._device)
        if self._sampler is None:
            rows = draws.rng.integers(len(self._codes_NK), size=self._share.total)
            return Batch(self._rows(draws.placed(rows)), None, None), draws
        _, places = self._sampler.draw(self._share.total, draws.rng)
        # Real rows come in another order, so that a pack does not show pairs of real and generated rows.
        shuffled = places[draws.rng.permutation(len(places))]
        rows = self._sampler.rows_with(shuffled, draws.rng)
        return Batch(self._rows(draws.placed(rows)), draws.placed(shuffled), draws.placed(places)), draws

    def _rows(self, rows_B: Tensor) -> Tensor:
        return self._layout.rows(self._codes_NK[rows_B].long(), self._scalars_NS[rows_B])


def with_batch_statistics(generator: nn.Module) -> nn.Module:
    """A copy that normalises by the batch at hand, as in training, and remembers nothing of it."""
    copied = deepcopy(generator)
    for layer in copied.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean = layer.running_var = None
    return copied
