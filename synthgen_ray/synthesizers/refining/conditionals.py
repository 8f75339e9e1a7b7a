"""The chances of each column's codes given the rest of their rows, while the rows change cell by cell.

A dependency network as drawing runs it: what the hidden layer of each row is made of is kept, and a cell's part in it
is taken out and put in.
Shapes: B rows, K columns, W codes of one of them, D of all, H hidden units.
"""

from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from synthgen_ray.synthesizers.numerics.blas import one_blas_thread
from synthgen_ray.synthesizers.refining.weights import DependencyWeights


class Rows(Protocol):
    """Some rows, all of whose cells are known but of a column that is hidden."""

    def hide(self, place: int, codes_B: np.ndarray) -> None:
        """What a column's cells were is to tell nothing."""

    def logits(self, place: int, bias_W: np.ndarray) -> np.ndarray:
        """Of the codes of the hidden column, (W, B)."""

    def show(self, place: int, codes_B: np.ndarray) -> None:
        """The cells of the hidden column are known again."""


class Conditionals(Protocol):
    """The network, with what it takes to draw."""

    def rows(self, codes_KB: np.ndarray) -> Rows:
        """These rows, with all of their cells known."""

    def alone(self) -> AbstractContextManager[None]:
        """Meanwhile all is computed on one thread."""


class FloatConditionals:
    def __init__(self, weights: DependencyWeights, widths_K: np.ndarray) -> None:
        self.inputs = []  # of each column, relative to a hidden cell
        self.bias_H = weights.input_bias.copy()
        for block in np.split(weights.inputs, np.cumsum(widths_K + 1)[:-1]):
            self.inputs.append(block[:-1] - block[-1])
            self.bias_H += block[-1]
        outputs = np.split(weights.outputs, np.cumsum(widths_K)[:-1])
        self.outputs = [np.ascontiguousarray(output.T) for output in outputs]

    def rows(self, codes_KB: np.ndarray) -> "FloatRows":
        return FloatRows(self, codes_KB)

    def alone(self) -> AbstractContextManager[None]:
        """Meanwhile all is computed on one thread."""
        return one_blas_thread()

    def logits(
        self, place: int, sums_BH: np.ndarray, bias_W: np.ndarray, hidden_BH: np.ndarray | None = None
    ) -> np.ndarray:
        """Of a column's codes, (W, B), by what the hidden layer is made of; `hidden_BH` is written over."""
        hidden_BH = np.clip(sums_BH, 0, np.inf, out=hidden_BH)  # `np.maximum` takes three times as long
        logits_BW: np.ndarray = hidden_BH @ self.outputs[place]
        logits_BW += bias_W
        return np.ascontiguousarray(logits_BW.T)


class FloatRows:
    """Each pass writes where the last one did: the cache has it."""

    def __init__(self, conditionals: FloatConditionals, codes_KB: np.ndarray) -> None:
        self._conditionals = conditionals
        self.sums_BH = np.tile(conditionals.bias_H, (codes_KB.shape[1], 1))
        self._scratch_BH = np.empty_like(self.sums_BH)
        for place, codes_B in enumerate(codes_KB):
            self.show(place, codes_B)

    def hide(self, place: int, codes_B: np.ndarray) -> None:
        """What a column's cells were is to tell nothing."""
        self.sums_BH -= self._gathered(place, codes_B)

    def logits(self, place: int, bias_W: np.ndarray) -> np.ndarray:
        """Of the codes of the hidden column, (W, B)."""
        return self._conditionals.logits(place, self.sums_BH, bias_W, self._scratch_BH)

    def show(self, place: int, codes_B: np.ndarray) -> None:
        """The cells of the hidden column are known again."""
        self.sums_BH += self._gathered(place, codes_B)

    def _gathered(self, place: int, codes_B: np.ndarray) -> np.ndarray:
        rows_WH = self._conditionals.inputs[place]
        return np.take(rows_WH, codes_B, axis=0, out=self._scratch_BH, mode="clip")  # else numpy buffers it


def most_said(weights: DependencyWeights, widths_K: np.ndarray, codes_KB: np.ndarray) -> np.ndarray:
    """The most that each hidden unit says to any column of these rows, (H,)."""
    conditionals = FloatConditionals(weights, widths_K)
    rows, most_H = FloatRows(conditionals, codes_KB), np.zeros(len(conditionals.bias_H), dtype=np.float32)
    for place, codes_B in enumerate(codes_KB):
        rows.hide(place, codes_B)
        most_H = np.maximum(most_H, rows.sums_BH.max(axis=0))
        rows.show(place, codes_B)
    return most_H
