"""How a generation is cut into parts that workers write side by side."""

from dataclasses import dataclass

CHUNKS_PER_PART = 5


@dataclass(frozen=True)
class PartPlan:
    """The chunks of one part: (index of the chunk, its rows)."""

    index: int
    chunks: tuple[tuple[int, int], ...]

    @property
    def num_rows(self) -> int:
        return sum(rows for _, rows in self.chunks)


def plan_parts(num_rows: int, chunk_rows: int) -> tuple[PartPlan, ...]:
    """Parts in order. All chunks but the last have `chunk_rows` rows, as the seeds ask."""
    starts = range(0, num_rows, chunk_rows)
    chunks = [(index, min(chunk_rows, num_rows - start)) for index, start in enumerate(starts)]
    groups = [chunks[i : i + CHUNKS_PER_PART] for i in range(0, len(chunks), CHUNKS_PER_PART)]
    return tuple(PartPlan(index, tuple(group)) for index, group in enumerate(groups))
