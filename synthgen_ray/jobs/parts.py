"""How a generation is cut into parts that workers write side by side."""

from dataclasses import dataclass

from synthgen_ray.domain.chunks import chunks

CHUNKS_PER_PART = 5


@dataclass(frozen=True)
class PartPlan:
    """The chunks of one part: (index of the chunk, its rows)."""

    index: int
    chunks: tuple[tuple[int, int], ...]

    @property
    def num_rows(self) -> int:
        return sum(rows for _, rows in self.chunks)


def plan_parts(num_rows: int, chunk_rows: int, chunks_per_part: int = CHUNKS_PER_PART) -> tuple[PartPlan, ...]:
    """Parts in order. All chunks but the last have `chunk_rows` rows, as the seeds ask."""
    todo = list(chunks(num_rows, chunk_rows))
    groups = [todo[i : i + chunks_per_part] for i in range(0, len(todo), chunks_per_part)]
    return tuple(PartPlan(index, tuple(group)) for index, group in enumerate(groups))
