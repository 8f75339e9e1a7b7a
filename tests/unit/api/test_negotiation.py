"""Which media type is answered to which `Accept`."""

import pytest

from synthgen_ray.api.negotiation import NotAcceptable, negotiated

OFFERS = {"application/json": "json", "text/csv": "csv", "application/vnd.apache.parquet": "parquet"}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; header=present", "csv"),
        ("text/*", "csv"),
        ("application/*", "json"),
        ("text/html, text/csv;q=0.5, */*;q=0.1", "csv"),
        ("application/json;q=0.2, text/csv;q=0.9", "csv"),
        ("application/json;q=0, */*", "csv"),
        ("text/html, */*;q=0.1", "json"),
        ("application/vnd.apache.parquet, application/json;q=0.9", "parquet"),
        ("text/csv;q=7", "csv"),
        (" , text/csv , ", "csv"),
    ],
)
def test_what_the_client_likes_best_is_chosen(accept, answered):
    assert negotiated(accept, OFFERS) == answered


@pytest.mark.parametrize("accept", ["text/html", "image/*", "*/*;q=0", "text/csv;q=0", "text/csv;q=much", "csv", ";"])
def test_nothing_that_it_does_not_take_is_sent(accept):
    with pytest.raises(NotAcceptable, match=r"one of application/json, text/csv") as refused:
        negotiated(accept, OFFERS)

    assert refused.value.status == 406
