"""What the server answered: JSON, or its refusal as an error."""

from typing import Any

import httpx

from synthgen_ray.client.errors import ApiError
from synthgen_ray.client.patience import retry_after_s

JSON = dict[str, Any]

PROBLEM = "application/problem+json"


def answer_of(response: httpx.Response) -> JSON:
    """Raises: ApiError, for a refusal and for what is no JSON."""
    if not response.is_success:
        raise refusal_of(response)
    answer = _json(response)
    if answer is None:
        raise ApiError(response.status_code, f"What answers at {response.url} does not look like SynthGen.")
    return answer


def refusal_of(response: httpx.Response) -> ApiError:
    """The server's problem document as an error, or what stands between it and us had to say."""
    is_problem = response.headers.get("content-type", "").startswith(PROBLEM)
    problem = (_json(response) if is_problem else None) or {}
    said = f"The server answered {response.status_code} {response.reason_phrase}."
    if response.has_redirect_location:  # with the key it is not followed anywhere
        said = f"{response.url} leads to {response.headers['location']}: give the address of the server there."
    return ApiError(
        response.status_code,
        str(problem.get("detail", said)),
        problem.get("code", ""),
        problem.get("errors", ()),
        problem.get("request_id", response.headers.get("x-request-id", "")),
        retry_after_s(response.headers.get("retry-after")),
    )


def _json(response: httpx.Response) -> JSON | None:
    """The JSON object in an answer, if that is what it holds."""
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
