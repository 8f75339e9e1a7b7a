"""What refinement keeps of a dependency network; PyTorch, which learns it, is not needed to draw with it."""

from dataclasses import dataclass

import numpy as np

FAR_TOO_LARGE = 1e30  # floats of 32 bits end at 3e38


@dataclass(frozen=True)
class DependencyWeights:
    """Of the dependency network. `inputs` (D + K, H): of each column a row for each code, and one for a hidden cell."""

    inputs: np.ndarray
    input_bias: np.ndarray  # (H,)
    outputs: np.ndarray  # (D, H)
    output_bias: np.ndarray  # (D,)

    def overflow(self, step_H: np.ndarray | None) -> bool:
        """Whether what they compute may be no number any more, counted in these steps if any."""
        sum_H = np.abs(self.inputs).sum(axis=0, dtype=np.float64) + np.abs(self.input_bias)
        logit_D = np.abs(self.outputs).astype(np.float64) @ sum_H + np.abs(self.output_bias)
        steps_H = sum_H if step_H is None else sum_H / step_H
        return bool(max(np.max(logit_D), np.max(steps_H)) > FAR_TOO_LARGE)
