"""`kill -9` of one process of each kind, among clients at work. `python -m tests.chaos kills` does twenty of each."""

import pytest

from tests.chaos.kills import VICTIMS, Shop, a_shop, kill


@pytest.fixture(scope="module")
def shop(server):
    with a_shop(server) as shop:
        yield shop


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.name)
def test_a_kill_loses_doubles_and_tears_nothing(shop: Shop, victim):
    assert kill(shop, victim, victim.name).findings == ()
