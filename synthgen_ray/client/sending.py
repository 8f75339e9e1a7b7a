"""A file on its way to the server: read as it is sent, and counted."""

import io
from collections.abc import Callable
from pathlib import Path

# How many bytes have passed, and of how many, where that is known.
OnBytes = Callable[[int, int | None], None]


class CountedFile(io.FileIO):
    def __init__(self, file: Path, on_bytes: OnBytes | None) -> None:
        super().__init__(file)
        self._on_bytes = on_bytes
        self._size = file.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size) or b""
        if self._on_bytes:
            self._on_bytes(self.tell(), self._size)
        return block
