"""`make fuzz`: every fuzzer in turn, against one server of its own. Fails when one of them finds something."""

import argparse
import subprocess
import sys

from tests.servers import NO_RATE_LIMITS, an_up_server

FUZZERS = (
    "http_mutations",
    "openapi",
    "csv_mutations",
    "parquet_mutations",
)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    arguments.add_argument("--count", type=int, default=5000, help="cases of each fuzzer")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with an_up_server(SYNTHGEN_RATE_LIMITS=NO_RATE_LIMITS) as server:
        options = ["--url", server.url, "--key", server.key, "--count", str(given.count), "--seed", str(given.seed)]
        failed = [
            name
            for name in FUZZERS
            if subprocess.run([sys.executable, "-m", f"tests.fuzz.{name}", *options]).returncode != 0
        ]
    sys.exit(f"These found something: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
