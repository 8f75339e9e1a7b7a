"""`kill -9` of one process of each kind, among clients at work. `python -m tests.chaos kills` does twenty of each, and
kills those of trainings too; here their end is in `test_training`."""

import pytest

from tests.chaos.kills import AFTER_S, VICTIMS, Shop, a_shop, kill


@pytest.fixture(scope="module")
def shop(server):
    with a_shop(server) as shop:
        yield shop


@pytest.mark.parametrize("victim", [one for one in VICTIMS if not one.trained_by], ids=lambda victim: victim.name)
def test_a_kill_loses_doubles_and_tears_nothing(shop: Shop, victim):
    assert kill(shop, victim, victim.name, AFTER_S).findings == ()
