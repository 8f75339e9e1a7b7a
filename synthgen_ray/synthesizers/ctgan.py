"""CTGAN: a generator and a critic that play against each other, row by row, under conditions.

Source: Xu et al. 2019, arXiv:1907.00503, section 4; the critic's loss: Gulrajani et al. 2017, arXiv:1704.00028;
packs: Lin et al. 2018, arXiv:1712.04086. The two networks are those of the `ctgan` package.
Shapes: B rows of a batch, D row width, C condition width, E width of the latent, Q discrete columns.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import torch
from ctgan.synthesizers.ctgan import Discriminator, Generator
from torch import Tensor, nn
from torch.nn import functional as F

from synthgen_ray.domain.params import CTGANParams, ModelType
from synthgen_ray.synthesizers import parallel
from synthgen_ray.synthesizers.base import Targets
from synthgen_ray.synthesizers.codec import Encoded
from synthgen_ray.synthesizers.columns.category import CategoryCodec, CategoryTarget
from synthgen_ray.synthesizers.conditions import Heads
from synthgen_ray.synthesizers.draws import Draws, SharedDropout, start_weights
from synthgen_ray.synthesizers.folded import Dense, FoldedNetwork
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.neural import NeuralSynthesizer
from synthgen_ray.synthesizers.noise import normals
from synthgen_ray.synthesizers.pace import Pace
from synthgen_ray.synthesizers.training_by_sampling import ConditionSampler, cumulated_chances, draw_places

PENALTY = 10.0


@dataclass(frozen=True)
class Batch:
    """Real rows, and the conditions that they and the generated rows fulfil (not in the same order)."""

    real_BD: Tensor
    real_conditions_BC: Tensor
    conditions_BC: Tensor
    columns_B: Tensor  # the discrete column that each condition speaks of
    codes_B: Tensor  # and the category

    def latent(self, draws: Draws, width: int) -> Tensor:
        return torch.cat([draws.normal(width), self.conditions_BC], dim=1)


class CTGAN(NeuralSynthesizer):
    model_type: ClassVar[ModelType] = ModelType.CTGAN
    params: CTGANParams

    def _new_network(self) -> nn.Module:
        width = self.params.embedding_dim + self.layout.condition_width
        generator = Generator(width, self.params.generator_dim, self.layout.width)
        for layer in generator.seq:
            if hasattr(layer, "bn"):
                layer.bn = parallel.SharedBatchNorm(layer.bn.num_features)
        return cast(nn.Module, generator)

    def _train(self, generator: nn.Module, encoded: Encoded, seed: int, pace: Pace) -> None:
        options, layout = self.params, self.layout
        critic = new_critic(options, layout).to(self._device)
        start_weights(generator, seed, 0)
        start_weights(critic, seed, 1)
        generator_adam = _adam(generator, options.generator_lr, options.generator_decay)
        critic_adam = _adam(critic, options.discriminator_lr, options.discriminator_decay)
        batches = Batches(encoded, layout, options, seed, self._device)
        steps = max(len(encoded.codes) // options.batch_size, 1)
        generator.train()

        for epoch, step in pace.steps(options.epochs, steps):
            for _ in range(options.discriminator_steps):
                # The critic learns to tell real rows from generated ones.
                batch, draws = batches.next(critic)
                with torch.no_grad():
                    fake_BD = layout.activate(
                        generator(batch.latent(draws, options.embedding_dim)), draws.gumbel(layout.width)
                    )
                fake = torch.cat([fake_BD, batch.conditions_BC], dim=1)
                real = torch.cat([batch.real_BD, batch.real_conditions_BC], dim=1)
                mix_P1 = draws.uniform(1, options.pac)
                critic_loss = critic(fake).mean() - critic(real).mean()
                critic_loss = critic_loss + PENALTY * gradient_penalty(critic, real, fake, mix_P1)
                parallel.descend(critic_adam, critic_loss, draws.share)

            # The generator learns to fool the critic and to respect the condition.
            batch, draws = batches.next(critic)
            logits_BD = generator(batch.latent(draws, options.embedding_dim))
            fake_BD = layout.activate(logits_BD, draws.gumbel(layout.width))
            critic.requires_grad_(False)
            generator_loss = -critic(torch.cat([fake_BD, batch.conditions_BC], dim=1)).mean()
            generator_loss = generator_loss + condition_loss(logits_BD, batch, layout)
            parallel.descend(generator_adam, generator_loss, draws.share)
            critic.requires_grad_(True)

            losses = {"generator": generator_loss.detach(), "discriminator": critic_loss.detach()}
            pace.after_step(epoch, step, options.epochs, steps, losses)
            if parallel.anyone(pace.is_over, pace.is_limited, self._device):
                break

    def _folded(self) -> FoldedNetwork:
        *hidden, last = cast(Any, self.network).seq
        layers = [Dense.of(layer.fc, layer.bn) for layer in hidden]
        return FoldedNetwork.of_skips([*layers, Dense.of(last)], self.params.embedding_dim)

    def _propose(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Heads:
        if self._is_stock:
            return self._propose_as_ctgan(num_rows, targets, rng)
        latent_EB = torch.from_numpy(normals(rng, self.params.embedding_dim, num_rows)).to(self._device)
        places_B = self._placed_conditions(num_rows, targets, rng)
        return self._heads(self.folded.logits(latent_EB, places_B))

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
    def _is_calibrated(self) -> bool:
        return self.params.calibrate and not self._is_stock

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
    """Every step's batch and random numbers, from the seed and the step's number alone."""

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
        self._count = 0

    def next(self, critic: nn.Module) -> tuple[Batch, Draws]:
        draws = Draws(self._seed, self._count, self._share, self._device)
        self._count += 1
        for layer in critic.modules():
            if isinstance(layer, SharedDropout):
                layer.draws = draws
        if self._sampler is None:
            rows = draws.rng.integers(len(self._codes_NK), size=self._share.total)
            nothing = torch.zeros(self._share.stop - self._share.start, 0, device=self._device)
            none = torch.zeros(0, dtype=torch.int64, device=self._device)
            return Batch(self._rows(draws.placed(rows)), nothing, nothing, none, none), draws
        columns, places = self._sampler.draw(self._share.total, draws.rng)
        # Real rows come in another order, so that a pack does not show pairs of real and generated rows.
        shuffled = places[draws.rng.permutation(len(places))]
        rows = self._sampler.rows_with(shuffled, draws.rng)
        return Batch(
            self._rows(draws.placed(rows)),
            self._layout.conditions(draws.placed(shuffled)),
            self._layout.conditions(draws.placed(places)),
            draws.placed(columns),
            draws.placed(places - self._layout.condition_starts[columns]),
        ), draws

    def _rows(self, rows_B: Tensor) -> Tensor:
        return self._layout.rows(self._codes_NK[rows_B].long(), self._scalars_NS[rows_B])


def new_critic(options: CTGANParams, layout: Layout) -> nn.Module:
    critic = Discriminator(layout.width + layout.condition_width, options.discriminator_dim, options.pac)
    for place, layer in enumerate(critic.seq):
        if isinstance(layer, nn.Dropout):
            critic.seq[place] = SharedDropout(layer.p, options.pac)
    return cast(nn.Module, critic)


def with_batch_statistics(generator: nn.Module) -> nn.Module:
    """A copy that normalises by the batch at hand, as in training, and remembers nothing of it."""
    copied = deepcopy(generator)
    for layer in copied.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean = layer.running_var = None
    return copied


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, mix_P1: Tensor) -> Tensor:
    """How far the critic's slope is from 1 between real and generated rows.

    Mean over packs of (‖∇D(x̂)‖₂ - 1)², x̂ on the segment from a real pack to a generated one, at `mix`.
    Shapes: both (B, D + C), B = P packs; returns a scalar. Source: Gulrajani et al. 2017, eq. 3.
    """
    # One place on the segment for each pack: its rows are judged as one point.
    mix_B1 = mix_P1.repeat_interleave(len(real) // len(mix_P1), dim=0)
    mixed = torch.lerp(real, fake, mix_B1).requires_grad_()
    (slope,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    length_P = slope.reshape(len(mix_P1), -1).norm(dim=1)
    return torch.mean((length_P - 1).square())


def condition_loss(logits_BD: Tensor, batch: Batch, layout: Layout) -> Tensor:
    """Cross-entropy between the condition and the column that it speaks of, mean over the batch (Xu et al., 4.3)."""
    if not layout.condition_width:
        return logits_BD.new_zeros(())
    discrete = torch.as_tensor(layout.discrete, device=logits_BD.device)
    starts_B = torch.as_tensor(layout.starts_K, device=logits_BD.device)[discrete][batch.columns_B]
    widths_B = torch.as_tensor(layout.widths_K, device=logits_BD.device)[discrete][batch.columns_B]
    inside_W = torch.arange(int(layout.widths_K[layout.discrete].max()), device=logits_BD.device)
    outside_BW = inside_W >= widths_B[:, None]
    places_BW = (starts_B[:, None] + inside_W).clamp(max=layout.width - 1)
    column_BW = logits_BD.gather(1, places_BW).masked_fill(outside_BW, -torch.inf)
    return F.cross_entropy(column_BW, batch.codes_B)


def _adam(network: nn.Module, rate: float, decay: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=rate, betas=(0.5, 0.9), weight_decay=decay, fused=True)
