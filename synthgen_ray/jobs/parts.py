"""How a generation is cut into parts that workers write side by side."""

from dataclasses import dataclass

from synthgen_ray.domain.chunks import chunks

CHUNKS_PER_PART = 5


@dataclass(frozen=True)
class PartPlan:
    """The rows of one part, from its first chunk on."""

    index: int
    first_chunk: int
    num_rows: int
    chunk_rows: int

    @property
    def chunks(self) -> tuple[tuple[int, int], ...]:
        """(Index of the chunk, its rows). Not kept: a large batch has a hundred million."""
        return tuple((self.first_chunk + place, rows) for place, rows in chunks(self.num_rows, self.chunk_rows))

    @property
    def last_chunk(self) -> int:
        return self.first_chunk + (self.num_rows - 1) // self.chunk_rows


def plan_parts(num_rows: int, chunk_rows: int, chunks_per_part: int = CHUNKS_PER_PART) -> tuple[PartPlan, ...]:
    """Parts in order. All chunks but the last have `chunk_rows` rows, as the seeds ask."""
    return tuple(
        PartPlan(index, index * chunks_per_part, rows, chunk_rows)
        for index, rows in chunks(num_rows, chunks_per_part * chunk_rows)
    )
