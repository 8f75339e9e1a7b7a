"""Valid requests with bytes changed, over raw sockets: the server never answers 5xx, never hangs, and serves on.

`python -m tests.fuzz.http_mutations --url http://127.0.0.1:8888 --key KEY`. Case `n` of a seed is always the same.
"""

import argparse
import re
import socket
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.fuzz.http_requests import Target, a_mutant

HANG_S = 15.0
SILENCE_S = 0.4  # then the request is taken to be unfinished, or the answer to be complete
THREADS = 4
_STATUS = re.compile(rb"^HTTP/1\.[01] ([0-9]{3}) ", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    statuses: tuple[int, ...]
    finding: str | None


def answer_to(target: Target, request: bytes, silence_s: float = SILENCE_S) -> bytes:
    """All that comes back. Raises: TimeoutError, when the connection stays open after we said that no more comes, which
    is after `silence_s` without an answer."""
    with socket.create_connection((target.host, target.port), timeout=HANG_S) as connection:
        answer = b""
        try:
            connection.sendall(request)
            connection.settimeout(silence_s)
            try:
                while block := connection.recv(65_536):
                    answer += block
            except TimeoutError:
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(HANG_S)
                while block := connection.recv(65_536):
                    answer += block
        except TimeoutError:
            raise
        except OSError:
            pass  # it may close on us at any time
        return answer


def try_case(target: Target, seed: int, number: int) -> Outcome:
    request = a_mutant(target, seed, number)
    try:
        answer = answer_to(target, request)
        statuses = tuple(int(status) for status in _STATUS.findall(answer))
        finding = f"answered {answer[:300]!r}" if any(status >= 500 for status in statuses) else None
    except OSError as error:
        statuses, finding = (), f"does not answer: {error!r}"
    finding = finding or _fault_of_next(target)
    return Outcome(statuses, finding and f"case {number}: {request[:600]!r} {finding}")


def _fault_of_next(target: Target) -> str | None:
    request = f"GET /healthz HTTP/1.1\r\nHost: {target.host}\r\nConnection: close\r\n\r\n".encode()
    try:
        answer = answer_to(target, request, HANG_S)  # it is complete: on a busy machine it may take a while
    except OSError as error:
        return f"and the next valid request got {error!r}"
    return None if answer.startswith(b"HTTP/1.1 200 ") else f"and the next valid request got {answer[:300]!r}"


def fuzz(target: Target, count: int, seed: int) -> list[str]:
    """The findings; prints each, and a line that sums up."""
    start = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(lambda number: try_case(target, seed, number), range(count)))
    findings = [outcome.finding for outcome in outcomes if outcome.finding]
    for finding in findings:
        print(finding)
    seen = Counter(status for outcome in outcomes for status in outcome.statuses)
    silent = sum(not outcome.statuses for outcome in outcomes)
    statuses = ", ".join(f"{status}: {times}" for status, times in sorted(seen.items()))
    elapsed_s = time.monotonic() - start
    print(
        f"http_mutations: {count} cases of seed {seed} in {elapsed_s:.0f} s, {len(findings)} findings; "
        f"answers {statuses}; closed without one: {silent}"
    )
    return findings


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz.http_mutations", description=__doc__)
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--key", required=True)
    arguments.add_argument("--count", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    address = urlsplit(given.url)
    target = Target(address.hostname or "127.0.0.1", address.port or 80, given.key)
    sys.exit(1 if fuzz(target, given.count, given.seed) else 0)


if __name__ == "__main__":
    main()
