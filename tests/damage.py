"""What a failing disk does to a file: of the byte in its middle one bit is another."""

from pathlib import Path


def with_a_bit_flipped(content: bytes) -> bytes:
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def flip_a_bit(file: Path) -> None:
    file.write_bytes(with_a_bit_flipped(file.read_bytes()))
