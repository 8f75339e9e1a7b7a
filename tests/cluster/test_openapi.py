"""The running server does what its OpenAPI page says; see `tests.fuzz.openapi`."""

from tests.fuzz.openapi import fuzz


def test_no_request_of_the_page_breaks_it_or_its_answers(server):
    assert fuzz(server.url, server.key, examples=20, seed=1) == 0
