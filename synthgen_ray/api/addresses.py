"""From where a request comes: the address at the other end of the connection, or what a proxy there says, if the
operator trusts it."""

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::[0-9]{1,5})?|(?P<four>[0-9.]+):[0-9]{1,5}")


class ClientAddress:
    """Puts the client's address into the scope, written as `ipaddress` writes it; `None` where there is none."""

    def __init__(self, app: ASGIApp, trusted: Collection[Network] = ()) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            peer = scope["client"][0] if scope.get("client") else ""
            hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
            address = client_address(peer, hops, self._trusted)
            scope = {**scope, "client": (address, 0) if address else None}
        await self._app(scope, receive, send)


def client_address(peer: str, hops: list[str], trusted: Collection[Network]) -> str:
    """The last address that was told by somebody trusted: each proxy adds at the end by whom it was asked. Empty,
    where even the peer's is none.
    """
    address = _parsed(peer)
    for hop in reversed(hops):
        if address is None or not any(address in network for network in trusted):
            break
        told = _parsed(hop.strip())
        if told is None:
            break
        address = told
    return str(address or "")


@lru_cache(1000)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    if match := _WITH_PORT.fullmatch(text):
        text = match["six"] or match["four"] or ""
    try:
        address = ip_address(text.partition("%")[0])  # behind it stands the name of an interface: any text at all
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
