"""Where a server may listen: checked before anything starts."""

import contextlib
import errno
import os
import random
import socket
import stat
from ipaddress import ip_address
from pathlib import Path

from synthgen_ray.runtime.data_dir import StartFailed

LOOPBACK = "127.0.0.1"
# Taken by chance by none: Ray's workers listen below (10,002 to 19,999), and connections begin above (Linux: 32,768).
NOBODYS_PORTS = range(20_000, 32_000)
ATTEMPTS = 100
# Where Serve has HAProxy's configuration, and the socket by which whoever reaches it steers it, unless told otherwise.
HAPROXYS = Path("/tmp/haproxy-serve")  # noqa: S108 - that is what is looked at
HAPROXYS_SOCKET = "RAY_SERVE_HAPROXY_SOCKET_PATH"


class PortTaken(StartFailed):
    """Another program listens there."""

    def __init__(self, host: str, port: int, setting: str) -> None:
        super().__init__(f"Port {port} of {host} is taken: choose another with {setting}.")
        self.port = port


def check_host(host: str, *, allow_remote: bool) -> None:
    """Keys and rows would cross the network in the clear: that takes a decision.

    Raises: StartFailed.
    """
    try:
        is_loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback and not allow_remote:
        raise StartFailed(
            f"Other machines reach {host}, and nothing here speaks TLS: keep to a loopback address, or put "
            "a TLS proxy in front and set allow_remote to true."
        )


def check_port(host: str, port: int, setting: str = "--port") -> None:
    """Raises: StartFailed; PortTaken, which is one."""
    if ":" in host:
        raise StartFailed(f"A server listens on IPv4, and {host} is an address of IPv6: take 127.0.0.1.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(host, port, setting) from error
            raise StartFailed(f"Nothing can listen on port {port} of {host}: {error.strerror}.") from error


def check_metrics_port(port: int | None) -> None:
    """Of a Ray of our own: without it its agent ends, and then all of it. Raises: StartFailed; PortTaken."""
    if port is not None:
        check_port(LOOPBACK, port, "metrics_port")


def check_haproxys_folder(folder: Path = HAPROXYS) -> None:
    """Makes it this user's alone, unless it is not used: it is where anybody may have been first.

    Raises: StartFailed.
    """
    if HAPROXYS_SOCKET in os.environ:
        return
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise StartFailed(
            f"HAProxy would be steered from {folder}, which is another user's: name files in a folder of your own by "
            f"{HAPROXYS_SOCKET}, RAY_SERVE_HAPROXY_CONFIG_FILE_LOC and RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH."
        )
    folder.chmod(0o700)


def listen_beside_node() -> None:
    """In the constructor of a replica: the port that Serve opens in each, for calls with Ray's token, is then on the
    address of its node, which is loopback on one machine. Serve opens it on all addresses that a machine has."""
    import ray
    from ray._common.tls_utils import add_port_to_grpc_server
    from ray.serve._private import replica

    host = ray.util.get_node_ip_address()
    address = f"[{host}]:0" if ":" in host else f"{host}:0"
    replica.add_port_to_grpc_server = lambda server, _: add_port_to_grpc_server(server, address)


def free_port(wanted: int | None = None, *others: int | None) -> int:
    """The wanted port of the loopback address if it is free and none that others are to have, else any that is, and
    stays so until it is listened on. Raises: StartFailed."""
    for port in (wanted, *random.sample(NOBODYS_PORTS, ATTEMPTS)):
        if port is None or port in others:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise StartFailed("No port of the loopback address is free.")
