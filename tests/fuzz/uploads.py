"""What the fuzzers of files share: a mutant is converted here, and uploaded where there is a server.

A file may be taken or refused. It may not end in an error that is not ours, take long or much memory, leave a table
that cannot be read back, or keep the next file from being taken.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import convert, read_table
from synthgen_ray.domain.errors import SynthGenError

# Generous: other processes use the machine, too.
SLOW_S = 10.0
SLOW_UPLOAD_S = 60.0
MAX_GROWTH_KIB = 1024 * 1024
THREADS = 4
TAKEN = "taken"

# The bytes of case `number` of a seed, which are always the same, and what the file is called.
Mutant = Callable[[int, int], tuple[bytes, str]]


@dataclass(frozen=True)
class Outcome:
    answer: str
    finding: str | None = None


def convert_here(mutant: Mutant, seed: int, number: int, folder: Path) -> Outcome:
    """The case, converted in this process."""
    content, filename = mutant(seed, number)
    source, target = folder / "upload", folder / "table.parquet"
    source.write_bytes(content)
    start = time.monotonic()
    try:
        summary = convert(source, filename, target, UploadLimits())
        table = read_table(target)
        same = table.num_rows == summary.num_rows and table.column_names == [c.name for c in summary.columns]
        outcome = Outcome(TAKEN, None if same else "the table is not what the summary says")
    except SynthGenError as error:
        outcome = Outcome(error.code, None if error.status < 500 else f"answered {error.status}")
    except Exception as error:  # noqa: BLE001
        outcome = Outcome(type(error).__name__, f"raised {error!r}")
    if time.monotonic() - start > SLOW_S:
        return Outcome(outcome.answer, f"took {time.monotonic() - start:.0f} s")
    return outcome


def upload(mutant: Mutant, seed: int, number: int, client: httpx.Client, project_id: str) -> Outcome:
    """The case, uploaded to a server."""
    content, filename = mutant(seed, number)
    try:
        answer = _answer_to(client, project_id, content, filename)
        code = TAKEN if answer.status_code == 201 else answer.json()["code"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        return Outcome("no answer", f"got no answer of ours: {error!r}")
    if answer.status_code >= 500 or code == "unreadable_table":
        return Outcome(code, f"answered {answer.status_code} {code}")
    return Outcome(code)


def _answer_to(client: httpx.Client, project_id: str, content: bytes, filename: str) -> httpx.Response:
    while True:
        answer = client.post(
            "/api/datasets/upload", data={"project_id": project_id, "name": "n"}, files={"file": (filename, content)}
        )
        if answer.status_code != 429:
            return answer
        time.sleep(float(answer.headers["Retry-After"]))


def fuzz_here(mutant: Mutant, count: int, seed: int) -> list[Outcome]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [convert_here(mutant, seed, number, Path(folder)) for number in range(count)]
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if growth > MAX_GROWTH_KIB:
        outcomes.append(Outcome("memory", f"one of them took {growth:,} KiB"))
    return outcomes


def fuzz_server(mutant: Mutant, count: int, seed: int, url: str, key: str) -> list[Outcome]:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=SLOW_UPLOAD_S) as client:
        project_id = client.post("/api/projects", json={"name": "fuzz"}).raise_for_status().json()["id"]
        with ThreadPoolExecutor(THREADS) as pool:
            outcomes = list(pool.map(lambda number: upload(mutant, seed, number, client, project_id), range(count)))
        after = _answer_to(client, project_id, b"a,b\n1,2\n", "t.csv")
    if after.status_code != 201:
        outcomes.append(Outcome("afterwards", f"a good file was answered {after.status_code}"))
    return outcomes


def report(name: str, outcomes: list[Outcome], elapsed_s: float) -> bool:
    """Print the findings and a line that sums up; whether there are any."""
    findings = [(number, outcome.finding) for number, outcome in enumerate(outcomes) if outcome.finding]
    for number, finding in findings:
        print(f"{name}: case {number} {finding}")
    answers = ", ".join(f"{answer}: {times}" for answer, times in Counter(o.answer for o in outcomes).most_common())
    print(f"{name}: {len(outcomes)} files in {elapsed_s:.0f} s, {len(findings)} findings; {answers}")
    return bool(findings)


def main(name: str, mutant: Mutant, description: str | None) -> None:
    arguments = argparse.ArgumentParser(prog=f"python -m tests.fuzz.{name}", description=description)
    arguments.add_argument("--url", help="a server to upload to; without one, files are converted here")
    arguments.add_argument("--key")
    arguments.add_argument("--count", type=int, default=5000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    start = time.monotonic()
    if given.url:
        outcomes = fuzz_server(mutant, given.count, given.seed, given.url, given.key)
    else:
        outcomes = fuzz_here(mutant, given.count, given.seed)
    sys.exit(report(name, outcomes, time.monotonic() - start))
