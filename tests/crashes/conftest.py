"""A server like that of `tests/cluster` and beside it, for tests that kill what it is made of."""

from tests.cluster.conftest import client, dataset, given_training, ready_model, server

__all__ = ["client", "dataset", "given_training", "ready_model", "server"]
