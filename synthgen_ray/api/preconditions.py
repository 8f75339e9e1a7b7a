"""What a client has already, or goes on with: RFC 9110, section 13.1."""

import re

from starlette.datastructures import Headers

# A tag may have commas in it, so a list cannot be cut at those.
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def is_still(headers: Headers, etag: str) -> bool:
    """Whether If-Match, where it is given, names this tag, in the strong comparison: a weak one is never the same."""
    given = headers.getlist("if-match")
    return not given or ", ".join(given).strip() == "*" or ("", etag) in _TAG.findall(", ".join(given))


def is_had(headers: Headers, etag: str) -> bool:
    """Whether If-None-Match names this tag, in the weak comparison: `W/` says nothing."""
    given = ", ".join(headers.getlist("if-none-match"))
    return given.strip() == "*" or etag.removeprefix("W/") in [tag for _, tag in _TAG.findall(given)]
