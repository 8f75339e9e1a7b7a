"""A keyed permutation of 0..size-1, computed value by value: unique draws without a memory of the earlier ones.

Source: Black & Rogaway 2002, "Ciphers with arbitrary finite domains" (a Feistel network, walked until inside)."""

import numpy as np

ROUNDS = 6
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # splitmix64, Steele et al. 2014


def mix(values: np.ndarray) -> np.ndarray:
    """A 64-bit hash of 64-bit values."""
    values = (values ^ (values >> np.uint64(30))) * MIX[0]
    values = (values ^ (values >> np.uint64(27))) * MIX[1]
    return np.asarray(values ^ (values >> np.uint64(31)))


def permute(places: np.ndarray, size: int, key: int) -> np.ndarray:
    """Where the permutation sends each place; size at most 2**64."""
    half = np.uint64(max(-(-(size - 1).bit_length() // 2), 1))
    mask = np.uint64((1 << int(half)) - 1)
    round_keys = mix(np.uint64(key) + np.arange(1, ROUNDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    walked = places.astype(np.uint64)
    outside = np.arange(len(walked))
    while len(outside):
        left, right = walked[outside] >> half, walked[outside] & mask
        for round_key in round_keys:
            left, right = right, left ^ (mix(right ^ round_key) & mask)
        walked[outside] = (left << half) | right
        outside = outside[walked[outside] >= size]
    return walked
