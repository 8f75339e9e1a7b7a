"""Whose word is taken for where a request comes from."""

from ipaddress import ip_network

import pytest

from synthgen_ray.api.addresses import client_address

TRUSTED = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # by whom nobody is trusted
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "1.2.3.4, 198.51.100.7", "198.51.100.7"),  # the first is what the client said itself
        ("127.0.0.1", "198.51.100.7, 10.1.2.3", "198.51.100.7"),  # through two proxies
        ("127.0.0.1", "10.1.1.1, 10.1.2.3", "10.1.1.1"),
        ("127.0.0.1", "198.51.100.7:5000", "198.51.100.7"),
        ("127.0.0.1", "[2001:DB8::1]:5000", "2001:db8::1"),
        ("127.0.0.1", "2001:db8:0::1", "2001:db8::1"),
        ("fd00::1", "198.51.100.7", "198.51.100.7"),
        ("::ffff:127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.7, <script>, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "198.51.100.7,", "127.0.0.1"),
        ("127.0.0.1", "fe80::1%" + "x" * 10_000, "fe80::1"),
        ("fe80::1%eth0", "198.51.100.7", "fe80::1"),
        ("", "198.51.100.7", ""),
        ("/run/socket", "198.51.100.7", ""),
    ],
)
def test_the_last_address_that_somebody_trusted_told(peer, forwarded, address):
    assert client_address(peer, forwarded.split(","), TRUSTED) == address


def test_by_default_nobody_is_trusted():
    assert client_address("127.0.0.1", ["198.51.100.7"], []) == "127.0.0.1"
