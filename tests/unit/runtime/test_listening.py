import os
import socket
from pathlib import Path

import pytest

from synthgen_ray.runtime.data_dir import StartFailed
from synthgen_ray.runtime.listening import check_haproxys_folder, check_host, check_port, free_port
from synthgen_ray.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_a_loopback_address_needs_no_leave(host):
    check_host(host, allow_remote=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
def test_any_other_address_needs_leave_and_a_proxy(host):
    check_host(host, allow_remote=True)

    with pytest.raises(StartFailed, match="TLS proxy"):
        check_host(host, allow_remote=False)


def test_serve_deploy_asks_for_the_same_leave():
    from synthgen_ray.runtime.app import app

    with pytest.raises(StartFailed, match="TLS proxy"):
        app(Settings(host="0.0.0.0"))


@pytest.mark.parametrize("host", ["::1", "::", "fe80::1"])
def test_an_address_of_ipv6_is_refused_by_name(host):
    with pytest.raises(StartFailed, match=f"listens on IPv4, and {host} is"):
        check_port(host, free_port())


def test_a_taken_port_is_refused_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StartFailed, match="is taken"):
        check_port("127.0.0.1", taken.getsockname()[1])


def test_an_address_that_is_not_this_machines_is_not_said_to_be_taken():
    with pytest.raises(StartFailed, match="Nothing can listen on port 8888 of 192"):
        check_port("192.0.2.1", 8888)


def test_haproxy_is_steered_from_no_folder_that_others_have_made(tmp_path, monkeypatch):
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "open")
    for name in ("new", "open"):
        check_haproxys_folder(tmp_path / name)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700

    with pytest.raises(StartFailed, match="another user's"):
        check_haproxys_folder(tmp_path / "elsewhere")
    monkeypatch.setattr(os, "geteuid", lambda: -1)
    with pytest.raises(StartFailed, match="another user's"):
        check_haproxys_folder(tmp_path / "new")


def test_a_port_that_is_anothers_is_not_taken_from_it():
    port = free_port()

    assert free_port(port) == port
    assert free_port(port, None, port) != port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        assert free_port(port) != port


def test_a_free_port_is_none_that_a_connection_or_a_worker_of_rays_takes_by_chance():
    connections = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(connections.read_text().split()[0]) if connections.exists() else 49_152
    if first < 32_000:
        pytest.skip(f"connections of this machine take all ports from {first} on")

    assert all(20_000 <= free_port() < first for _ in range(50))
