"""What a training loop changes from step to step: its networks, their optimisers, what early stopping has seen."""

import logging
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from synthgen_ray.synthesizers.model_file import Tensors
from synthgen_ray.synthesizers.training import parallel
from synthgen_ray.synthesizers.training.adam import Adam
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint

log = logging.getLogger(__name__)
EARLY_STOP = "early_stop"


class TrainingState:
    """The tensors of a loop's networks and optimisers: a checkpoint is a copy of them, and is copied into them."""

    def __init__(self, **parts: nn.Module | Adam) -> None:
        self._live = dict(named for name, part in parts.items() for named in _tensors_of(name, part))
        self._device = next(iter(self._live.values())).device

    def watch(self, seen: np.ndarray) -> None:
        """Take in what early stopping has seen so far."""
        self._live[EARLY_STOP] = torch.from_numpy(seen)

    def tensors(self) -> Tensors:
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in self._live.items()}

    def resume(self, checkpoint: Checkpoint | None, steps: int) -> int:
        """Go back to a checkpoint of a training of so many steps, and answer how many of them are done.

        All workers do or none: where it does not fit one of them, all start anew.
        """
        fits = checkpoint is not None and checkpoint.steps == steps and self._is_like(checkpoint.tensors)
        if parallel.anyone(not fits, True, self._device) or checkpoint is None:
            if checkpoint is not None:
                log.warning("a checkpoint does not fit its training, which starts anew")
            return 0
        with torch.no_grad():
            for name, tensor in self._live.items():
                tensor.copy_(torch.from_numpy(checkpoint.tensors[name]))
        return checkpoint.step

    def _is_like(self, tensors: Tensors) -> bool:
        shapes = {name: tensor.shape for name, tensor in tensors.items()}
        return shapes == {name: tuple(tensor.shape) for name, tensor in self._live.items()}


def _tensors_of(name: str, part: nn.Module | Adam) -> Iterator[tuple[str, Tensor]]:
    if isinstance(part, nn.Module):
        for key, tensor in part.state_dict().items():
            yield f"{name}.{key}", tensor
        return
    for place, moments in enumerate(zip(part.steps, part.means, part.squares, strict=True)):
        for key, tensor in zip(("step", "exp_avg", "exp_avg_sq"), moments, strict=True):
            yield f"{name}.{place}.{key}", tensor
