"""How rows are cut so that any number of workers draws the same ones."""

from collections.abc import Iterator


def chunks(num_rows: int, chunk_rows: int) -> Iterator[tuple[int, int]]:
    """Split a job into (index, rows) pieces. Chunk i draws from the stream (seed, i) only, so a job gives
    the same rows on one worker and on forty."""
    for index, start in enumerate(range(0, num_rows, chunk_rows)):
        yield index, min(chunk_rows, num_rows - start)
