"""`kill -9` of one process of each kind, among clients at work. `python -m tests.chaos kills` does twenty of each, and
kills those of trainings and samplers too; here `test_training` and `test_crashes` do that. Clients that only look, a
short form of `python -m tests.chaos polling`."""

import pytest

from tests.chaos.kills import AFTER_S, TRAIN, VICTIMS, Shop, a_shop, kill
from tests.chaos.polling import poll
from tests.servers import SAMPLER

ELSEWHERE = (*TRAIN, "ray::lead ", SAMPLER)


@pytest.fixture(scope="module")
def shop(server):
    with a_shop(server) as shop:
        yield shop


@pytest.mark.parametrize(
    "victim", [one for one in VICTIMS if one.title not in ELSEWHERE], ids=lambda victim: victim.name
)
def test_a_kill_loses_doubles_and_tears_nothing(shop: Shop, victim):
    assert kill(shop, victim, victim.name, AFTER_S).findings == ()


def test_many_clients_that_look_at_jobs_are_answered_or_told_to_come_later(shop: Shop):
    looks = poll(shop, clients=200, seconds=7).looks

    assert {200} <= {look.status for look in looks} <= {200, 429}
