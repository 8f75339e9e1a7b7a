"""`python -m tests.crashes.short_tasks TIMES`: tasks of a moment, one after the other, that answer and that raise.

How Ray takes the end of one is what ends a dispatcher, or does not.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import ray

from synthgen_ray.runtime.launcher import run_warm
from synthgen_ray.runtime.own_ray import start_ray


def work(number: int) -> int:
    if number % 2:
        raise ArithmeticError
    return number


async def main(times: int) -> None:
    for number in range(times):
        try:
            assert await run_warm(work, "work", 0, number) == number
        except ArithmeticError:
            assert number % 2


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sg-", ignore_cleanup_errors=True) as folder:
        start_ray(Path(folder) / "ray", unseen=True, num_cpus=1)
        asyncio.run(main(int(sys.argv[1])))
        ray.shutdown()
