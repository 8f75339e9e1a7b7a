"""`kill -9` of one process of each kind, among clients at work. `python -m tests.chaos kills` does twenty of each, and
kills those of trainings too; here their end is in `test_training`. Clients that only look, a short form of `python -m
tests.chaos polling`."""

import pytest

from tests.chaos.kills import AFTER_S, VICTIMS, Shop, a_shop, kill
from tests.chaos.polling import poll


@pytest.fixture(scope="module")
def shop(server):
    with a_shop(server) as shop:
        yield shop


@pytest.mark.parametrize("victim", [one for one in VICTIMS if not one.trained_by], ids=lambda victim: victim.name)
def test_a_kill_loses_doubles_and_tears_nothing(shop: Shop, victim):
    assert kill(shop, victim, victim.name, AFTER_S).findings == ()


def test_many_clients_that_look_at_jobs_are_answered_or_told_to_come_later(shop: Shop):
    looks = poll(shop, clients=200, seconds=7).looks

    assert {200} <= {look.status for look in looks} <= {200, 429}
