"""The one thing a training loop knows about many workers. On one worker, nothing here does anything.

Every worker draws the same random numbers for the whole batch and uses its share of them; losses are weighted by
that share, so that sums over the workers are what one worker would have had alone. By hand, because
`DistributedDataParallel` does not go with `torch.autograd.grad` in a loss (its documentation; pytorch#47562).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from synthgen_ray.domain.errors import InvalidRequest, WorkerLost
from synthgen_ray.synthesizers.training.adam import Adam


@contextmanager
def _together() -> Iterator[None]:
    """Around what all workers do together. Raises: WorkerLost, when one of them is gone."""
    try:
        yield
    except RuntimeError as error:  # all that PyTorch says of it
        raise WorkerLost from error


def is_shared() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


@dataclass(frozen=True)
class Share:
    """Which rows of each batch are this worker's."""

    total: int
    start: int
    stop: int
    is_idle: bool = False  # its rows are another worker's, so that it has some, and do not count

    @property
    def weight(self) -> float:
        return 0.0 if self.is_idle else (self.stop - self.start) / self.total

    def of(self, whole: Any) -> Any:
        """This worker's part of something with a row, or one item for a fixed number of rows, of the batch."""
        rows = self.total // len(whole)
        return whole[self.start // rows : self.stop // rows]


def share(total: int, pack: int = 1, *, may_idle: bool = False) -> Share:
    """This worker's rows of a batch, in whole packs.

    Raises: InvalidRequest, if there are fewer packs than workers, unless some `may_idle`.
    """
    if not is_shared():
        return Share(total, 0, total)
    rank, workers = dist.get_rank(), dist.get_world_size()
    packs = total // pack
    start, stop = packs * rank // workers, packs * (rank + 1) // workers
    if packs < workers and not may_idle:
        raise InvalidRequest(f"batch_size holds {packs} packs: too few for {workers} workers.", "out_of_range")
    return Share(total, start * pack, stop * pack) if start < stop else Share(total, 0, pack, is_idle=True)


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its sum over the workers, in one message."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None] if is_shared() else []
    if not gradients:
        return
    flat = _summed(torch.cat([gradient.flatten() for gradient in gradients]))
    for gradient, summed in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(summed.view_as(gradient))


def follow_gradients(adam: Adam) -> None:
    """One step down the gradients of the whole batch, the sum of those that the workers have."""
    sum_gradients(adam.parameters)
    adam.step()


def first_worker_says(number: int, device: torch.device) -> int:
    """The first worker's number, on every worker."""
    if not is_shared():
        return number
    message = torch.tensor([number], device=device)
    with _together():
        dist.broadcast(message, 0)
    return int(message.item())


def anyone(says_so: bool, might: bool, device: torch.device) -> bool:
    """Whether any worker says so, asked only where one might."""
    if not might or not is_shared():
        return says_so
    return bool(_summed(torch.tensor([float(says_so)], device=device)).item() > 0)


def _summed(tensor: Tensor) -> Tensor:
    """The same tensor, now the sum of all workers'."""
    with _together():
        dist.all_reduce(tensor)
    return tensor


class _SumOverWorkers(torch.autograd.Function):
    """The sum of a tensor over the workers; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:  # noqa: ARG004
        return _summed(tensor.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        return _summed(gradient.contiguous().clone())


def sum_over_workers(tensor: Tensor) -> Tensor:
    summed: Tensor = cast(Any, _SumOverWorkers).apply(tensor)
    return summed


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose batch is that of all workers (Ioffe & Szegedy 2015, arXiv:1502.03167, algorithm 1)."""

    def forward(self, x_BH: Tensor) -> Tensor:
        if not self.training or not is_shared():
            normalised: Tensor = super().forward(x_BH)
            return normalised
        x_BH = x_BH.to(self.weight.dtype)  # which autocast may have narrowed
        total = sum_over_workers(torch.cat([x_BH.sum(0), x_BH.new_full((1,), len(x_BH))]))
        rows = total[-1].detach()
        mean = total[:-1] / rows
        centered = x_BH - mean
        variance = sum_over_workers(centered.square().sum(0)) / rows
        self._remember(mean.detach(), variance.detach() * rows / (rows - 1))
        return centered / torch.sqrt(variance + self.eps) * self.weight + self.bias

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        tracked = (self.num_batches_tracked, self.running_mean, self.running_var)
        count, running_mean, running_variance = cast(tuple[Tensor, Tensor, Tensor], tracked)
        count += 1
        running_mean.lerp_(mean, cast(float, self.momentum))
        running_variance.lerp_(variance, cast(float, self.momentum))
