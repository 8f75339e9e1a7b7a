"""The running server does what its OpenAPI page says; see `tests.fuzz.openapi`."""

from tests.fuzz.openapi import fuzz


def test_no_request_of_the_page_breaks_it_or_its_answers(server):
    fuzzed = fuzz(server.url, server.key, examples=27, seed=1)

    assert fuzzed.exit_code == 0
    assert fuzzed.num_cases >= 2000
