"""A dependency network in whole numbers, of 8 bits where matrices are multiplied.

What a hidden unit says is counted in steps of its own, and what it is made of in 64ths of them, whose sums floats hold
exactly: they do not drift while cells change, and chances are of the same logits on any machine. See `whole_products`.
Shapes: B rows, K columns, W codes of one of them, D of all, H hidden units.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from synthgen_ray.synthesizers.numerics.blas import one_blas_thread
from synthgen_ray.synthesizers.numerics.threads import one_torch_thread
from synthgen_ray.synthesizers.numerics.whole_products import MOST, precision, product, steps
from synthgen_ray.synthesizers.refining.conditionals import FloatConditionals

PARTS = 64  # of a step
CPU = torch.device("cpu")


class QuantizedConditionals:
    def __init__(self, floats: FloatConditionals, step_H: np.ndarray) -> None:
        """`step_H` is how much of what each unit says is a step."""

        def in_parts(sums: np.ndarray) -> Tensor:
            return torch.from_numpy(np.rint(sums / step_H * PARTS).astype(np.float32) / PARTS)

        widths = [len(inputs) for inputs in floats.inputs]
        self.starts = (np.cumsum(widths) - widths).astype(np.int32)
        self.codes = sum(widths)
        shown_DH = in_parts(np.concatenate(floats.inputs))
        # A cell is taken out by adding the opposite of what it put in.
        self.table = torch.cat([shown_DH, -shown_DH])
        self.bias_H = in_parts(floats.bias_H) + 0.5  # rounds what is cut off
        self.outputs, self.gains = [], []
        for output_HW in floats.outputs:
            scaled_WH = output_HW.T * step_H
            step_W = steps(np.abs(scaled_WH).max(axis=1))
            self.outputs.append(torch.from_numpy(np.rint(scaled_WH / step_W[:, None])).to(precision(CPU)))
            self.gains.append(torch.from_numpy(step_W.astype(np.float32))[:, None])

    def rows(self, codes_KB: np.ndarray) -> "QuantizedRows":
        return QuantizedRows(self, codes_KB)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Meanwhile all is computed on one thread."""
        with one_blas_thread(), one_torch_thread():
            yield


class QuantizedRows:
    """What is shown waits for what is hidden next: both are looked up in one pass."""

    def __init__(self, conditionals: QuantizedConditionals, codes_KB: np.ndarray) -> None:
        self._conditionals = conditionals
        seen_BK = torch.from_numpy(np.add(codes_KB.T, conditionals.starts, order="C"))
        self._sums_BH = self._looked_up(seen_BK).add_(conditionals.bias_H)
        self._said_BH = torch.empty_like(self._sums_BH)
        self._waiting: list[np.ndarray] = []

    def hide(self, place: int, codes_B: np.ndarray) -> None:
        """What a column's cells were is to tell nothing."""
        out_B = codes_B + (self._conditionals.starts[place] + self._conditionals.codes)
        self._sums_BH += self._looked_up(torch.from_numpy(np.stack([*self._waiting, out_B], axis=1)))
        self._waiting = []

    def logits(self, place: int, bias_W: np.ndarray) -> np.ndarray:
        """Of the codes of the hidden column, (W, B)."""
        output_WH, gain_W1 = self._conditionals.outputs[place], self._conditionals.gains[place]
        said_BH = torch.clamp(self._sums_BH, 0, MOST, out=self._said_BH)
        whole_BH = said_BH.to(torch.int8) if output_WH.dtype == torch.int8 else said_BH.floor_()
        logits_WB = product(output_WH, whole_BH.T) * gain_W1
        logits_WB += torch.from_numpy(bias_W)[:, None]
        return np.asarray(logits_WB.numpy())

    def show(self, place: int, codes_B: np.ndarray) -> None:
        """The cells of the hidden column are known again."""
        self._waiting = [codes_B + self._conditionals.starts[place]]

    def _looked_up(self, seen_BN: Tensor) -> Tensor:
        """The sums of rows of the table, (B, H)."""
        return F.embedding_bag(seen_BN, self._conditionals.table, mode="sum")
