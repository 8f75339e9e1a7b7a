"""`synthgen limits`"""

from collections.abc import Iterator
from typing import Any

from synthgen_ray.commands.session import Session, command


@command
def limits(session: Session) -> None:
    """Show what is too large or too much for the server.

    Example: synthgen limits
    """
    allowed = session.client.get_limits()
    session.output.fields(allowed, dict(_leaves(allowed)))


def _leaves(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
