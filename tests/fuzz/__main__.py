"""`make fuzz`: every fuzzer in turn, against one server of its own. Fails when one of them finds something, or when
afterwards a process that serves is another one or holds 200 MiB more."""

import argparse
import subprocess
import sys

from tests.fuzz.standing import findings, standing, summary
from tests.servers import NO_RATE_LIMITS, UpServer, an_up_server

# Made-up models of thousands of epochs, and generations of millions of rows, would take all of the machine.
QUOTAS = '{"generated_rows": 1000000, "training_seconds": 30}'
FUZZERS = {  # and how many of its cases are as much work as one of the others'
    "http_mutations": 1,
    "openapi": 4,
    "csv_mutations": 1,
    "parquet_mutations": 1,
}


def found_nothing(server: UpServer, name: str, count: int, seed: int) -> bool:
    before = standing(server)
    options = ["--url", server.url, "--key", server.key, "--count", str(count), "--seed", str(seed)]
    code = subprocess.run([sys.executable, "-m", f"tests.fuzz.{name}", *options]).returncode
    after = standing(server)
    wrong = list(findings(before, after))
    print(f"{name}: {summary(before, after)}; {'; '.join(wrong) or 'all of them as before'}", flush=True)
    return code == 0 and not wrong


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument(
        "--count", type=int, default=5000, help="cases of each fuzzer; of openapi four times as many"
    )
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", nargs="+", choices=FUZZERS, default=list(FUZZERS))
    given = arguments.parse_args()
    settings = {"SYNTHGEN_QUOTAS": QUOTAS, "SYNTHGEN_TRAINING__DEADLINE_S": "60"}
    with an_up_server(SYNTHGEN_RATE_LIMITS=NO_RATE_LIMITS, **settings) as server:
        failed = [
            name for name in given.only if not found_nothing(server, name, given.count * FUZZERS[name], given.seed)
        ]
    sys.exit(f"These found something: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
