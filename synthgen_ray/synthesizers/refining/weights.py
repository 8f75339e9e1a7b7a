"""What refinement keeps of a dependency network; PyTorch, which learns it, is not needed to draw with it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DependencyWeights:
    """Of the dependency network. `inputs` (D + K, H): of each column a row for each code, and one for a hidden cell."""

    inputs: np.ndarray
    input_bias: np.ndarray  # (H,)
    outputs: np.ndarray  # (D, H)
    output_bias: np.ndarray  # (D,)
