"""What Serve's own HTTP proxy does with hostile requests, over raw sockets: it stands before the application."""

import asyncio
import json
import os
import re
import socket
import time
from collections import Counter
from ipaddress import IPv4Address, IPv6Address, ip_address

import psutil
import pytest

from synthgen_ray.runtime.backpressure import MAX_ONGOING
from synthgen_ray.runtime.http_protocol import MOST_HELD
from tests.fuzz.http_mutations import fuzz
from tests.fuzz.http_requests import Target
from tests.servers import UpServer, standing_still, wait_until

CUT = 0  # the connection ended without an answer
OF_SERVES_PROXY = pytest.mark.skipif("BEHIND_HAPROXY" in os.environ, reason="HAProxy answers in words of its own")


@pytest.fixture
def ask(server):
    def ask(request: bytes, timeout_s: float = 30) -> tuple[int, bytes]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=timeout_s) as connection:
            answer = b""
            try:
                connection.sendall(request)
                while block := connection.recv(65_536):
                    answer += block
            except ConnectionError:  # it closes as soon as it has seen enough, with our bytes on the way
                pass
        status = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", answer)
        return int(status[1]) if status else CUT, answer

    return ask


def a_get(*headers: bytes, path: bytes = b"/healthz", host: bytes = b"Host: localhost") -> bytes:
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", host, *headers, b"Connection: close", b"", b""])


@pytest.mark.parametrize(
    "name",
    [
        b"X-Request-ID",
        b"x-session-id",
        b"serve_multiplexed_model_id",
        b"serve-multiplexed-model-id",
        b"x-request-timeout-seconds",
        b"x-request-disconnect-disabled",
        b"traceparent",
        b"Accept",
    ],
)
@pytest.mark.parametrize("value", [b"\xff", b"1e-9", b"0", b"-1", b"nan"])
def test_no_header_breaks_or_steers_the_proxy(ask, name, value):
    status, answer = ask(a_get(name + b": " + value))

    assert status == 200
    assert b"\xff" not in answer


@pytest.mark.parametrize("given", [b"<script>alert(1)</script>", b"y" * 3000, b"a b", b"y" * 65])
def test_a_hostile_request_id_is_not_reflected(ask, given):
    for path in (b"/healthz", b"/nowhere", b"/-/none"):
        _, answer = ask(a_get(b"X-Request-ID: " + given, path=path))

        (request_id,) = re.findall(rb"x-request-id: ([^\r]*)\r\n", answer, re.IGNORECASE)
        assert re.fullmatch(rb"[0-9a-f]{32}", request_id)
        assert given not in answer


def test_a_harmless_request_id_is_answered_once(ask):
    _, answer = ask(a_get(b"X-Request-ID: trace-1", path=b"/nowhere"))

    assert re.findall(rb"x-request-id: ([^\r]*)\r\n", answer, re.IGNORECASE) == [b"trace-1"]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["request_id"] == "trace-1"


@pytest.mark.parametrize(
    ("request_", "statuses"),
    [
        pytest.param(a_get(path=b"/-/routes"), {404}, marks=OF_SERVES_PROXY),
        pytest.param(a_get(path=b"/-/healthz"), {404}, marks=OF_SERVES_PROXY),
        (a_get(path=b"/%2D/routes"), {404}),
        (a_get(path=b"/%ff"), {404}),
        (a_get(path=b"/%00"), {404}),
        (a_get(path=b"*"), {404}),
        (a_get(path=b"/\x00"), {400}),
        (a_get(path=b"/\xff"), {400}),
        (a_get(path=b"/" + b"y" * 10_000), {414}),
        (a_get(path=b"/" + b"y" * 100_000), {400, 431, CUT}),  # too long for the parser, which comes first
        pytest.param(a_get(b"X: " + b"y" * 20_000), {431}, marks=OF_SERVES_PROXY),
        (a_get(b"X: " + b"y" * 10_000_000), {431, CUT}),
        pytest.param(a_get(*[b"X: y"] * 1000), {431}, marks=OF_SERVES_PROXY),
        (a_get(host=b"X: y"), {400}),
        (a_get(host=b"Host: evil.example"), {421}),
        (a_get(host=b"Host: localhost\r\nHost: evil.example"), {400}),
        (a_get(b"Content-Length: -1"), {400}),
        pytest.param(a_get(b"Content-Length: 3\r\nTransfer-Encoding: chunked"), {400}, marks=OF_SERVES_PROXY),
        (a_get(b"X\xff: y"), {400}),
        (b"G@T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", {400}),
        # No method that the parser knows, so not a 405 with Allow: nothing behind it could tell them from noise.
        pytest.param(b"FOO /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", {400}, marks=OF_SERVES_PROXY),
        # Of another protocol: a line that says what is spoken here, and then it is closed; nothing is logged.
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}, marks=OF_SERVES_PROXY),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400}),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n"
            b"x-session-id: \xff\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            {200},
            marks=OF_SERVES_PROXY,
        ),
        pytest.param(
            b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n",
            {413},
            marks=OF_SERVES_PROXY,
        ),
    ],
    ids=lambda part: repr(part)[:50],
)
def test_what_is_unsound_is_refused_and_the_proxy_serves_on(ask, server, request_, statuses):
    (proxy,) = server.processes("ray::ProxyActor")

    status, _ = ask(request_)

    assert status in statuses
    assert ask(a_get())[0] == 200
    assert [process.pid for process in server.processes("ray::ProxyActor")] == [proxy.pid]


def test_a_head_without_end_is_cut_off(ask, server):
    (proxy,) = server.processes("ray::ProxyActor")
    before = proxy.memory_info().rss

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ")
        sent = 0
        with pytest.raises(ConnectionError):
            while sent < 1000 * MOST_HELD:
                connection.sendall(b"y" * MOST_HELD)
                sent += MOST_HELD
                time.sleep(0.01)

    assert proxy.memory_info().rss - before < 20 * 2**20


def test_a_body_without_end_is_answered_before_it_is_over(server):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = f"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(17):
            connection.sendall(chunk)
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_stops_is_answered(server):
    head = f"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f'{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{{"n'.encode())
        answer = connection.recv(65_536)

    assert answer.startswith(b"HTTP/1.1 408 ")


@OF_SERVES_PROXY
def test_what_is_too_much_at_once_is_refused_at_once_and_the_rest_is_answered(server):
    answers = asyncio.run(many_at_once(server, 300))

    statuses = Counter(int(answer.split(b" ", 2)[1]) for answer in answers)
    assert set(statuses) == {200, 429}
    assert statuses[429] >= 300 - MAX_ONGOING
    refused = next(answer for answer in answers if answer.startswith(b"HTTP/1.1 429"))
    assert b"application/problem+json" in refused
    assert b"retry-after: 1" in refused
    assert b'"code":"busy"' in refused


async def many_at_once(server: UpServer, number: int) -> list[bytes]:
    """Answers to requests of which none is answered before one is refused."""

    async def asked() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(a_get(b"Authorization: Bearer " + server.key.encode(), path=b"/api/projects"))
        answer = await reader.read()
        writer.close()
        return answer

    with standing_still(server.processes("ServeReplica:synthgen:Api")):
        asking = [asyncio.create_task(asked()) for _ in range(number)]
        done, _ = await asyncio.wait(asking, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert done
    return await asyncio.gather(*asking)


@OF_SERVES_PROXY  # HAProxy's own figures are on all addresses
def test_nothing_of_a_server_on_one_machine_is_reached_from_another(server, ready_model, client):
    client.sample(ready_model, 1)  # a sampler is up
    listening = [
        (process.name(), ip_address(one.laddr.ip))
        for process in server.processes("")
        for one in process.net_connections()
        if one.status == psutil.CONN_LISTEN
    ]

    assert {"ray::ServeRepli", "ray::DashboardA", "raylet", "gcs_server"} <= {name[:15] for name, _ in listening}
    assert [one for one in listening if not is_loopback(one[1])] == []


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def test_requests_with_bytes_changed_never_break_it(server):
    target = Target("127.0.0.1", server.port, server.key)

    assert fuzz(target, count=200, seed=7) == []


@OF_SERVES_PROXY
def test_a_request_that_its_ingress_took_along_is_answered_in_our_words(ask, server):
    answers = (answer_of_a_killed_ingress(ask, server, after_s) for after_s in (1, 3, 6))
    answer = next(answer for answer in answers if not answer.startswith(b"HTTP/1.1 408 "))

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"application/problem+json" in answer
    assert b"retry-after" in answer
    wait_until(lambda: ask(a_get())[0] == 200, "it serves on")


def answer_of_a_killed_ingress(ask, server: UpServer, after_s: float) -> bytes:
    """To a request whose body it waits for, if it has it by then: else the next one has it, and waits in vain (408)."""
    head = f"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n"
    wait_until(lambda: ask(a_get())[0] == 200, "it serves")
    (ingress,) = server.processes("ServeReplica:synthgen:Api")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")  # the proxy's
        time.sleep(after_s)
        ingress.kill()
        return connection.recv(65_536)
