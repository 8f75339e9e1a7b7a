"""The model is no fiction: on the same calls the store answers and holds the same."""

import pytest

from tests.databases import on_both_databases
from tests.simulation.histories import replayed


@on_both_databases
@pytest.mark.parametrize("seed", range(2))
async def test_the_store_does_what_the_model_does(database_url, seed):
    assert await replayed(database_url, seed, steps=40) > 0
