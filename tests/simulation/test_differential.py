"""The model is no fiction: on the same calls the store answers and holds the same."""

import pytest

from tests.simulation.histories import replayed


@pytest.mark.parametrize("seed", range(2))
async def test_the_store_does_what_the_model_does(tmp_path, seed):
    assert "0 differences" in await replayed(tmp_path, [seed], steps=40)
