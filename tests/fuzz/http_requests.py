"""Requests as clients send them, and ways to spoil one."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

NOBODY = "00000000-0000-4000-8000-000000000000"
UPLOAD = (
    b'--edge\r\nContent-Disposition: form-data; name="project_id"\r\n\r\n%s\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="name"\r\n\r\naccounts\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n'
    b"a,b\n1,x\n2,y\n\r\n--edge--\r\n"
) % NOBODY.encode()
Mutation = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    key: str


LINES = (
    b"X-Request-ID: \xff",
    b"X-Request-ID: <script>",
    b"x-session-id: \xff",
    b"serve_multiplexed_model_id: \xff",
    b"x-request-timeout-seconds: \xff",
    b"x-request-timeout-seconds: 1e-9",
    b"x-request-disconnect-disabled: \xff",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Content-Length: -1",
    b"Content-Length: 3",
    b"Content-Length: 99999999999999999999",
    b"Content-Encoding: gzip",
    b"Content-Type: multipart/form-data",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Host: evil.example",
    b"Host:",
    b"Idempotency-Key: \xff",
    b"Expect: 100-continue",
    b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    b"Range: bytes=0-" + b",0-" * 2000,
    b"If-None-Match: *",
    b"Cookie: " + b"a=b; " * 500,
    b"X: " + b"y" * 20_000,
    b"X: " + b"y" * 100_000,
    b"\r\n".join([b"X: y"] * 200),
    b" folded",
    b"No colon",
)
TOKENS = (
    b"\x00", b"\xff", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"%00", b"%ff", b"%2e%2e/", b"/../", b"//", b"?", b"#", b"&&",
    b"=", b";", b"{", b"[" * 40, b'"', b"\\ud800", b"NaN", b"1e400", b"9" * 400, b"-0", b"null", b"\xef\xbb\xbf",
    b"limit=1&limit=2", b"/-/routes", b"*", b"http://evil.example/", b"a" * 9000,
)  # fmt: skip
METHODS = (
    b"GET",
    b"PUT",
    b"PATCH",
    b"POST",
    b"DELETE",
    b"HEAD",
    b"TRACE",
    b"CONNECT",
    b"FOO",
    b"G@T",
    b"",
    b"get",
    b"PRI",
)


def a_mutant(target: Target, seed: int, number: int) -> bytes:
    chance = random.Random(f"{seed}/{number}")
    request = a_request(chance, target)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        request = chance.choice(MUTATIONS)(chance, request) or b"\r\n"
    return request


def a_request(chance: random.Random, target: Target) -> bytes:
    """A request as a client sends it."""
    models = "/api/synthgen/models"
    method, path, body = chance.choice(
        [
            ("GET", "/healthz", None),
            ("GET", "/docs", None),
            ("GET", "/api/projects?limit=5&offset=0", None),
            ("GET", f"{models}?project_id={NOBODY}&limit=1", None),
            ("GET", f"/api/synthgen/jobs/{NOBODY}/download", None),
            ("HEAD", f"/api/synthgen/jobs/{NOBODY}/download", None),
            ("OPTIONS", "/api/projects", None),
            ("GET", "/api/keys?limit=2", None),
            ("GET", f"{models}/{NOBODY}/export", None),
            ("PATCH", f"/api/projects/{NOBODY}", b'{"name": "Other"}'),
            ("DELETE", f"/api/projects/{NOBODY}?force=true", None),
            ("POST", f"/api/synthgen/jobs/{NOBODY}/cancel", b""),
            ("POST", "/api/datasets/upload", UPLOAD),
            ("DELETE", f"{models}/{NOBODY}", None),
            ("POST", "/api/projects", b'{"name": "Bank \\u00e9", "description": ""}'),
            ("POST", f"{models}/{NOBODY}/generate", b""),
            ("POST", f"{models}/{NOBODY}/generate", b'{"num_rows": 10, "seed": 1, "conditions": {"a": [1, null]}}'),
            ("POST", models, b'{"project_id": "%s", "name": "m", "config": {"epochs": 1e1}}' % NOBODY.encode()),
        ]
    )
    head = [
        f"{method} {path} HTTP/1.1",
        f"Host: {target.host}:{target.port}",
        f"Authorization: Bearer {target.key}",
        "Accept: application/json",
        "X-Request-ID: fuzz-1",
        "Connection: close",
    ]
    if body is None:
        return _joined(head, b"")
    head.append(f"Content-Type: {'multipart/form-data; boundary=edge' if body is UPLOAD else 'application/json'}")
    if chance.random() < 0.3:
        head.append("Transfer-Encoding: chunked")
        return _joined(head, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
    head.append(f"Content-Length: {len(body)}")
    return _joined(head, body)


def _joined(head: list[str], body: bytes) -> bytes:
    return "\r\n".join([*head, "", ""]).encode() + body


def change_bytes(chance: random.Random, request: bytes) -> bytes:
    changed = bytearray(request)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut_out(chance: random.Random, request: bytes) -> bytes:
    start = chance.randrange(len(request))
    return request[:start] + request[start + chance.randrange(1, 40) :]


def cut_off(chance: random.Random, request: bytes) -> bytes:
    return request[: chance.randrange(len(request))]


def repeat(chance: random.Random, request: bytes) -> bytes:
    start = chance.randrange(len(request))
    piece = request[start : start + chance.randrange(1, 60)]
    return request[:start] + piece * chance.choice([2, 3, 50, 2000]) + request[start:]


def insert_token(chance: random.Random, request: bytes) -> bytes:
    place = chance.randrange(len(request))
    return request[:place] + chance.choice(TOKENS) + request[place:]


def insert_line(chance: random.Random, request: bytes) -> bytes:
    lines = request.split(b"\r\n")
    lines.insert(chance.randrange(1, 7), chance.choice(LINES))
    return b"\r\n".join(lines)


def drop_line(chance: random.Random, request: bytes) -> bytes:
    lines = request.split(b"\r\n")
    del lines[chance.randrange(len(lines))]
    return b"\r\n".join(lines)


def change_method(chance: random.Random, request: bytes) -> bytes:
    return chance.choice(METHODS) + b" " + request.partition(b" ")[2]


def change_path(chance: random.Random, request: bytes) -> bytes:
    method, _, rest = request.partition(b" ")
    path, _, rest = rest.partition(b" ")
    place = chance.randrange(len(path) + 1)
    return b" ".join([method, path[:place] + chance.choice(TOKENS) + path[place:], rest])


def change_number(chance: random.Random, request: bytes) -> bytes:
    numbers = list(re.finditer(rb"[0-9]+", request))
    if not numbers:
        return request
    number = chance.choice(numbers)
    other = chance.choice([b"0", b"1", b"-1", b"+5", b"65536", b"2147483648", b"18446744073709551616", b"1e9", b"0x10"])
    return request[: number.start()] + other + request[number.end() :]


def change_body(chance: random.Random, request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    place = chance.randrange(len(body) + 1)
    body = body[:place] + chance.choice(TOKENS) + body[place:]
    head = re.sub(rb"Content-Length: [0-9]+", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body


def pipeline(chance: random.Random, request: bytes) -> bytes:
    return request.replace(b"Connection: close\r\n", b"") + request


MUTATIONS: tuple[Mutation, ...] = (
    change_bytes, cut_out, cut_off, repeat, insert_token, insert_line, drop_line, change_method, change_path,
    change_number, change_body, pipeline,
)  # fmt: skip
