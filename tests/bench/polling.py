"""Many clients that ask for one small answer again and again, and a bare application of Ray Serve that gives one.

python -m tests.bench.polling PORT    serves it, until its standard input ends
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from synthgen_ray.runtime.listening import free_port

CLIENTS = 64
ANSWER = {"id": "x" * 36, "status": "completed", "config": {"num_rows": 10}, "message": "x" * 600}


def requests_per_second(port: int, path: str, key: str, for_s: float) -> float:
    """Of so many clients, each of which asks again as soon as it is answered."""
    return asyncio.run(_ask(port, path, key, for_s))


async def _ask(port: int, path: str, key: str, for_s: float) -> float:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    until = time.perf_counter() + for_s
    counts = await asyncio.gather(*(_client(port, request, until) for _ in range(CLIENTS)))
    return sum(counts) / for_s


async def _client(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        (length,) = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(length)
        count += 1
    writer.close()
    return count


@contextmanager
def bare_server(proxy: Mapping[str, str]) -> Iterator[int]:
    """The port of one in a process and a Ray of its own, which these variables give its proxy."""
    port = free_port()
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith("RAY_")}, **proxy}
    command = [sys.executable, "-m", "tests.bench.polling", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()  # it serves
        yield port
        process.stdin.close()
        process.wait(60)


def main(port: int) -> None:
    import ray
    from fastapi import FastAPI
    from ray import serve

    app = FastAPI()

    @serve.deployment(max_ongoing_requests=200)
    @serve.ingress(app)
    class Bare:
        @app.get("/api/synthgen/jobs/{job_id}")
        async def get_job(self, job_id: str) -> dict[str, Any]:
            return {**ANSWER, "id": job_id}

    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=2, _temp_dir=folder)
        serve.start(http_options={"port": port}, logging_config={"enable_access_log": False})
        serve.run(Bare.bind())
        print("serving", flush=True)
        sys.stdin.read()
        ray.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
