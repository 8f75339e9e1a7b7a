"""Adam, as PyTorch computes it, in processes that live for seconds.

What is in `torch.optim` imports PyTorch's compiler when it is made: more than a second of each process that trains,
as much as PyTorch itself. The computing of its steps comes without.
"""

import math
from collections.abc import Iterable

import torch
from torch import nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw

EPSILON = 1e-8
WARM_UP = 0.3  # of all steps
LOW, LAST = 1 / 25, 1 / 25e4  # of the highest rate
FAST_BETA, SLOW_BETA = 0.85, 0.95


class Adam:
    """Descends by the gradients' mean over the root of their mean square (Kingma and Ba, 2015), in one fused kernel.

    `decay` pulls the weights towards zero: as a part of the gradient, or beside it when `decoupled`, which is AdamW
    (Loshchilov and Hutter, 2019).
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        rate: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        decay: float = 0.0,
        *,
        decoupled: bool = False,
    ) -> None:
        self.parameters = list(parameters)
        self.rate, self.betas = rate, betas  # for the next step
        self._decay = decay
        self._compute = adamw if decoupled else adam
        self.means = [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        self.squares = [torch.zeros_like(mean) for mean in self.means]
        self.steps = [torch.zeros((), dtype=torch.float32, device=mean.device) for mean in self.means]

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters that have a gradient."""
        moved = [place for place, parameter in enumerate(self.parameters) if parameter.grad is not None]
        self._compute(
            [self.parameters[place] for place in moved],
            [gradient for parameter in self.parameters if (gradient := parameter.grad) is not None],
            [self.means[place] for place in moved],
            [self.squares[place] for place in moved],
            [],
            [self.steps[place] for place in moved],
            fused=True,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.rate,
            weight_decay=self._decay,
            eps=EPSILON,
            maximize=False,
        )


def one_cycle(adam: Adam, highest: float, step: int, steps: int) -> None:
    """Set the rate of a step for super-convergence (Smith and Topin, 2019): up for a third, then down to next to
    nothing, by half waves; the first beta goes the other way.
    """
    turn = WARM_UP * steps - 1
    if step <= turn:
        start, stop, way = LOW, 1.0, step / turn
        beta, to = SLOW_BETA, FAST_BETA
    else:
        start, stop, way = 1.0, LAST, (step - turn) / (steps - 1 - turn)
        beta, to = FAST_BETA, SLOW_BETA
    wave = (1 + math.cos(math.pi * way)) / 2
    adam.rate = highest * (stop + (start - stop) * wave)
    adam.betas = (to + (beta - to) * wave, adam.betas[1])
