"""Seeds: every random draw comes from a stream that is named by a seed and a place, never from a global."""

import numpy as np

from synthgen_ray.domain.columns import count_held_out


def stream(seed: int, *place: int) -> np.random.Generator:
    """The random stream of a place: same seed and place, same draws, wherever they are made."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=place))


def fresh_seed() -> int:
    """A seed from the system's entropy, for callers who do not care which."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def holdout_mask(num_rows: int, fraction: float, seed: int | None) -> np.ndarray:
    """True for the rows that training never sees. The quality report recomputes it, so it follows from the
    arguments alone; no seed counts as 0."""
    mask = np.zeros(num_rows, dtype=bool)
    mask[stream(seed or 0, HOLDOUT).permutation(num_rows)[: count_held_out(num_rows, fraction)]] = True
    return mask


# Places of the streams of a fit; a chunk's streams are (index, part).
HOLDOUT, ENCODE, WEIGHTS, TRAIN, CALIBRATE, REFINE = range(6)
