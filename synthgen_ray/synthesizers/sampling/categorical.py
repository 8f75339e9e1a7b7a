"""Categorical distributions by logits: weights, draws, and offsets that make codes as frequent as they should be.

Shapes: B rows, W codes; draws have the codes first, so that each pass over them runs along memory.
Source of the offsets: Deming & Stephan 1940, "On a least squares adjustment of a sampled frequency table".
"""

from itertools import pairwise

import numpy as np

ROUNDS = 20
FURTHEST = 8.0  # an offset that is larger tells that the network never learnt the category
LEAST_SHARE = 1e-6


def weights_of(logits_WB: np.ndarray) -> np.ndarray:
    """Weights in the proportions of the softmax, the largest of each row 1."""
    weights_WB = logits_WB - logits_WB.max(axis=0)
    return np.asarray(np.exp(weights_WB, out=weights_WB))


def draw_codes(weights_WB: np.ndarray, uniform_B: np.ndarray) -> np.ndarray:
    """One code for each row, drawn by its weights: the inverse of their distribution function. Cumulates the weights.

    A code of weight 0 is never drawn, so a condition that leaves the others none is kept.
    """
    for before_B, code_B in pairwise(weights_WB):
        code_B += before_B
    total_B = weights_WB[-1]
    place_B = np.minimum(uniform_B * total_B, np.nextafter(total_B, 0, dtype=total_B.dtype))
    passed_WB = (weights_WB[:-1] <= place_B).view(np.uint8)
    counted = np.uint8 if len(weights_WB) <= 256 else np.int32  # as narrow as can be: numpy adds 64 bytes at once
    return np.asarray(passed_WB.sum(axis=0, dtype=counted), dtype=np.int32)


def offsets(logits_WB: np.ndarray, shares_W: np.ndarray) -> np.ndarray:
    """What must be added to logits for their softmax to have these means, (W,): rounds of proportional fitting."""
    weights_WB = weights_of(logits_WB)
    added_W = np.zeros(len(shares_W))
    for _ in range(ROUNDS):
        factors_W = np.exp(added_W).astype(weights_WB.dtype)
        mean_W = factors_W * (weights_WB @ (1 / (factors_W @ weights_WB))) / weights_WB.shape[1]
        added_W += np.log(np.maximum(shares_W, LEAST_SHARE) / np.maximum(mean_W, LEAST_SHARE))
        added_W = np.clip(added_W - added_W.mean(), -FURTHEST, FURTHEST)
    return added_W
