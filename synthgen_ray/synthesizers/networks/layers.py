"""Linear layers and the products of a training step with them.

Under autocast products are in 16 bits, and all between them is as wide as it was.
"""

from torch import Tensor, nn
from torch.nn import functional as F


def linear_layers(network: nn.Module) -> list[nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]


def linear(input_BH: Tensor, layer: nn.Linear) -> Tensor:
    return F.linear(input_BH, layer.weight, layer.bias).to(input_BH.dtype)


def product(left: Tensor, right: Tensor) -> Tensor:
    return (left @ right).to(left.dtype)
