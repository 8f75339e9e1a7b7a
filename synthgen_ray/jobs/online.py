"""Rows that come with the answer, drawn chunk by chunk as they are sent."""

from synthgen_ray.datasets.streaming import encoded
from synthgen_ray.domain.entities import Draw
from synthgen_ray.jobs.drawing import drawing
from synthgen_ray.synthesizers.base import Synthesizer


def encoded_chunk(model: Synthesizer, draw: Draw, index: int) -> bytes:
    """The rows that this chunk of a generation of that seed has. Repeating it gives the same bytes.

    Raises: InvalidRequest and JobError, for conditions that cannot be met; JobError, for rows that are too large.
    """
    params = draw.params
    with drawing(model, params):
        rows = model.sample_chunk(*draw.chunks[index], draw.seed, params.conditions, params.distribution)
        is_first, is_last = index == 0, index == len(draw.chunks) - 1
        form, safe = draw.format, params.csv_safe
        return encoded(rows, model.columns, form, is_first=is_first, is_last=is_last, csv_safe=safe)
