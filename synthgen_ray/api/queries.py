"""The query of a URL: only what the route knows, and each parameter once."""

from collections import Counter
from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from synthgen_ray.domain.errors import FieldError, InvalidRequest


async def check_query(request: Request) -> None:
    """Raises: InvalidRequest."""
    if not request.scope["query_string"]:
        return
    given = Counter(name for name, _ in request.query_params.multi_items())
    known = set(_query_names(request.scope["route"].dependant))
    if not known.issuperset(given):
        takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
        raise InvalidRequest(
            f"The query has a parameter that this address does not know: {takes}.", "unknown_parameter"
        )
    if twice := [name for name, times in given.items() if times > 1]:
        errors = [FieldError(name, "must be given once") for name in twice]
        raise InvalidRequest(f"{twice[0]}: must be given once", "duplicate_parameter", errors)


def _query_names(dependant: Dependant) -> Iterator[str]:
    """What a route and all that it depends on take from the query."""
    yield from (field.alias for field in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _query_names(dependency)
