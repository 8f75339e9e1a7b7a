"""A real S3 server on loopback: moto in a process of its own, behind a gate that tests may shut."""

import contextlib
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from pyarrow.fs import FileSelector, FileType, S3FileSystem

from synthgen_ray.runtime.listening import free_port
from tests.servers import wait_until

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDOFTESTS",
    "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class _Forward(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        gate: Gate = self.server.gate  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", gate.target_port)) as beyond:
            gate.connections += [self.request, beyond]
            back = threading.Thread(target=_pour, args=(beyond, self.request), daemon=True)
            back.start()
            _pour(self.request, beyond, gate.requests)
            back.join()


def _pour(source: socket.socket, sink: socket.socket, requests: list[bytes] | None = None) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            line = block.partition(b"\r\n")[0]
            if requests is not None and line.endswith(b" HTTP/1.1"):
                requests.append(line)
            sink.sendall(block)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Gate:
    """A port that leads to another one, while it is open."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = free_port()
        self.connections: list[socket.socket] = []
        self.requests: list[bytes] = []  # their first lines
        self._listener: _Listener | None = None

    def open(self) -> None:
        self._listener = _Listener(("127.0.0.1", self.port), _Forward)
        self._listener.gate = self  # type: ignore[attr-defined]
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()

    def shut(self) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()


@dataclass
class S3Server:
    gate: Gate
    filesystem: S3FileSystem  # past the gate

    def url(self, path: str) -> str:
        return f"s3://{path}?endpoint_override=127.0.0.1:{self.gate.port}&scheme=http&region=us-east-1"

    def files(self, path: str) -> set[str]:
        """The names of all objects under a path, from there."""
        found = self.filesystem.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
        return {entry.path.removeprefix(f"{path}/") for entry in found if entry.type is FileType.File}


@contextlib.contextmanager
def an_s3_server(**environment: str) -> Iterator[S3Server]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    moto = subprocess.Popen(command, env={**os.environ, **environment}, **quiet)
    gate = Gate(port)
    filesystem = S3FileSystem(
        access_key=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        secret_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        endpoint_override=f"127.0.0.1:{port}",
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
    )
    try:
        wait_until(lambda: _listens(port), "the S3 server listens", 60)
        gate.open()
        yield S3Server(gate, filesystem)
    finally:
        gate.shut()
        moto.kill()
        moto.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
