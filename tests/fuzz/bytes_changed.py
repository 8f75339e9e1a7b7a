"""Bytes with some of them changed, as a bad disk, a bad network or a bad person would."""

from collections.abc import Sequence
from random import Random

EXTREMES = (0, 1, 2**7, 2**8 - 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)


def changed(content: bytes, draw: Random, pieces: Sequence[bytes] = (), first: int = 0) -> bytes:
    """The bytes with one to eight changes from the place `first` on. `pieces` are what is put between them."""
    damaged = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 4, 8])):
        if len(damaged) <= first:
            break
        _change(damaged, draw, pieces, draw.randrange(first, len(damaged)))
    return bytes(damaged)


def _change(damaged: bytearray, draw: Random, pieces: Sequence[bytes], place: int) -> None:
    match draw.randrange(8):
        case 0 | 1 | 2:
            damaged[place] ^= 1 << draw.randrange(8)
        case 3:
            damaged[place : place + draw.choice([1, 4, 100])] = b""
        case 4:
            damaged[place:place] = draw.choice(pieces) if pieces else draw.randbytes(draw.choice([1, 4, 100]))
        case 5:
            width = draw.choice([1, 2, 4, 8])
            number = draw.choice(EXTREMES) % 2 ** (8 * width)
            damaged[place : place + width] = number.to_bytes(width, "little")
        case 6:
            other = draw.randrange(len(damaged))
            damaged[place : place + 16] = damaged[other : other + 16]
        case 7 if draw.random() < 0.3:
            del damaged[place:]
