"""What a client has already, or goes on with: RFC 9110, section 13.1."""

import re

from starlette.datastructures import Headers

# A tag may have commas in it, so a list cannot be cut at those.
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def is_still(headers: Headers, etag: str) -> bool:
    """Whether If-Match, where it is given, names this tag, in the strong comparison: a weak one is never the same."""
    if "if-match" not in headers:
        return True
    given = _all(headers, "if-match")
    return given == "*" or ("", etag) in _TAG.findall(given)


def is_had(headers: Headers, etag: str) -> bool:
    """Whether If-None-Match names this tag, in the weak comparison: `W/` says nothing."""
    given = _all(headers, "if-none-match")
    return given == "*" or etag.removeprefix("W/") in [tag for _, tag in _TAG.findall(given)]


def _all(headers: Headers, name: str) -> str:
    """The value of a header, which may come in several lines."""
    return ", ".join(headers.getlist(name)).strip()
