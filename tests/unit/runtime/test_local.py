"""What a server does to a cluster that it joins: whose it is, and what is left of it there."""

from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray import serve
from ray.exceptions import GetTimeoutError

from synthgen_ray.runtime.local import Served, _check_whose, _stop
from synthgen_ray.runtime.names import DISPATCHER, METADATA
from synthgen_ray.settings import Settings

JOINED = Settings(address="auto")


def say(*_: object) -> None:
    """Any call of an actor."""


@pytest.fixture
def ended(monkeypatch) -> list[str]:
    """Of a cluster that has a server: what is ended there, in its order."""
    gone: list[str] = []

    def actor(name: str, _namespace: str) -> Any:
        return SimpleNamespace(name=name, stop=SimpleNamespace(remote=say), keeps=SimpleNamespace(remote=say))

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "get_actor", actor)
    monkeypatch.setattr(ray, "get", lambda _answer, timeout: None)
    monkeypatch.setattr(ray, "kill", lambda actor: gone.append(actor.name))
    monkeypatch.setattr(ray, "shutdown", lambda: gone.append("its connection"))
    return gone


def test_a_dispatcher_that_was_stopped_does_not_stay_for_the_next_server_though_serve_hangs(ended, monkeypatch):
    def hang(_app: str) -> None:
        ended.append("the application")
        raise TimeoutError

    monkeypatch.setattr(serve, "delete", hang)

    with pytest.raises(TimeoutError):
        _stop(JOINED)

    assert ended == [DISPATCHER, "the application", METADATA, "its connection"]


@pytest.mark.usefixtures("ended")
def test_a_cluster_of_which_nobody_says_whose_it_is_is_another_ones(monkeypatch):
    def stall(_answer: None, timeout: float) -> None:
        raise GetTimeoutError(f"not within {timeout} s")

    monkeypatch.setattr(ray, "get", stall)

    with pytest.raises(Served, match="does not answer"):
        _check_whose(JOINED)
