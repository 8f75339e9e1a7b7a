"""Under a condition a network's rows are those that rejection would leave."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.synthesizers.columns.category import CategoryCodec
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.sampling.conditions import Heads, draw_obeying

# Of latents that are a city by themselves, half of them each, how likely they pay.
PAYS = {"Oslo": 0.3, "Rome": 0.5}


@pytest.mark.parametrize("rows", [1200, 10_000])
def test_latents_that_are_nearly_alike_in_how_likely_they_obey_are_weighed_too(rows):
    pays, city = (
        CategoryCodec.learn(name, ColumnKind.CATEGORICAL, pa.chunked_array([values * 5]), 5, 10)
        for name, values in (("pays", ["no", "yes"]), ("city", list(PAYS)))
    )
    assert pays is not None
    rng, proposed = np.random.default_rng(1), []

    def propose(count: int) -> Heads:
        proposed.append(count)
        in_rome = rng.integers(2, size=count)
        likely = np.array(list(PAYS.values()))[in_rome]
        logits_DB = np.stack([np.log(1 - likely), np.log(likely), -50.0 * in_rome, 50.0 * (in_rome - 1)])
        return Heads(logits_DB.astype(np.float32).T, np.zeros(0))

    drawn = draw_obeying(rows, propose, [pays, city], Layout([pays, city]), {"pays": pays.target("yes")}, rng)

    assert (drawn.codes_BK[:, 0] == 1).all()
    assert drawn.codes_BK[:, 1].mean() == pytest.approx(0.5 / (0.3 + 0.5), abs=4 * 0.5 / rows**0.5)
    assert sum(proposed) < 2 * rows + 1000
