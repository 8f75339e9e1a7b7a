"""Which of the formats that we have a client takes: RFC 9110, section 12.5.1."""

from collections.abc import Mapping
from typing import TypeVar

from synthgen_ray.domain.errors import SynthGenError

T = TypeVar("T")


class NotAcceptable(SynthGenError):
    status = 406
    title = "Not acceptable"


def negotiated(accept: str, offers: Mapping[str, T]) -> T:
    """What is offered under the media type that the client likes best; of several the first. Without a wish, the
    first of all.

    Raises: NotAcceptable, when it takes none.
    """
    wishes = [_wish(item) for item in accept.split(",") if item.strip()]
    if not wishes:
        return next(iter(offers.values()))
    best = max(offers, key=lambda media: _liking(media, wishes))
    if _liking(best, wishes) == 0:
        raise NotAcceptable(f"The rows come as one of {', '.join(offers)}.", "not_acceptable")
    return offers[best]


def _wish(item: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in item.split(";"))
    weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
    try:
        return media, max(0.0, min(float(weights[0]), 1.0)) if weights else 1.0
    except ValueError:
        return media, 0.0


def _liking(media: str, wishes: list[tuple[str, float]]) -> float:
    """The weight of the most precise range that the media type falls under."""
    for covering in (media, f"{media.partition('/')[0]}/*", "*/*"):
        weights = [weight for wished, weight in wishes if wished == covering]
        if weights:
            return max(weights)
    return 0.0
