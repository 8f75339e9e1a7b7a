"""`make chaos`: the long forms of all that is done to the queue, a line of summary for each. Fails when one finds
something, and keeps the folders of what it found."""

import argparse
import asyncio
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from synthgen_ray.domain.lifecycle import QUEUED, JobType
from tests.chaos import claim_speed, drain, failpoints, machines, races
from tests.chaos.kills import ONE_OF_TWO_INGRESSES, a_shop, killed
from tests.chaos.polling import crowded, polled
from tests.chaos.slow import slowed
from tests.chaos.soak import soaked
from tests.chaos.workload import Shop
from tests.folders import KEEP, a_folder
from tests.servers import NO_RATE_LIMITS, an_up_server
from tests.simulation.histories import all_replayed, simulated

Check = Callable[[], str]
NO_LIMITS = {"SYNTHGEN_RATE_LIMITS": NO_RATE_LIMITS, "SYNTHGEN_QUOTAS": '{"pending_jobs": null}'}


def _in_a_folder(check: Callable[[Path], Coroutine[Any, Any, str]]) -> Check:
    def run() -> str:
        with a_folder() as folder:
            return asyncio.run(check(folder))

    return run


def _simulation() -> str:
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        calls = sum(pool.map(simulated, [range(first, 10_000, workers) for first in range(workers)]))
    return f"10,000 made-up histories of 200 steps, {calls:,} calls, 0 broken promises"


def _on_a_server(check: Callable[[Shop], str], **settings: str) -> Check:
    def run() -> str:
        with an_up_server(SYNTHGEN_NUM_CPUS="4", **NO_LIMITS, **settings) as server, a_shop(server) as shop:
            return check(shop)

    return run


def _sweep(kind: JobType, action: failpoints.Action) -> Check:
    return lambda: failpoints.swept(kind, action)


CHECKS: dict[str, Check] = {
    "simulation": _simulation,
    "replay": _in_a_folder(lambda folder: all_replayed(folder, range(50), steps=100)),
    "reaper": _in_a_folder(lambda folder: races.reaper_against_completion(folder, 1000)),
    "cancel": _in_a_folder(lambda folder: races.cancel_at_any_moment(folder, 500)),
    "repeat": _in_a_folder(lambda folder: races.repeat_at_any_moment(folder, 500)),
    "delete": _in_a_folder(lambda folder: races.delete_at_any_moment(folder, 300)),
    **{f"{kind}-{action}": _sweep(kind, action) for kind in QUEUED for action in failpoints.Action},
    "claims": _in_a_folder(claim_speed.claims),
    "kills": _on_a_server(lambda shop: killed(shop, times=20)),
    "ingresses": _on_a_server(
        lambda shop: killed(shop, times=20, victims=[ONE_OF_TWO_INGRESSES]), SYNTHGEN_INGRESS__REPLICAS="2"
    ),
    "nodes": lambda: machines.nodes_lost(times=20),
    "networks": lambda: machines.networks_cut(times=5),
    "heads": lambda: machines.heads_lost(times=20),
    "makers": lambda: machines.makers_lost(times=20),
    "stopped": lambda: machines.processes_stopped(rounds=5, at_once=4),
    "soak": _on_a_server(lambda shop: soaked(shop, seconds=1800)),
    "polling": _on_a_server(lambda shop: polled(shop, clients=1000, seconds=300)),
    "crowd": _on_a_server(lambda shop: crowded(shop, clients=1000, seconds=60)),
    "slow": _on_a_server(lambda shop: slowed(shop, slow=200, seconds=45)),
    "drain": _in_a_folder(
        lambda folder: drain.drained(folder, 10_000, 3, kill_every=500, limit_s=3600, is_measured=True)
    ),
}


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    arguments.add_argument("checks", nargs="*", choices=[*CHECKS, []], help="all of them when none is named")
    logging.disable(logging.ERROR)  # faults are what is meant to happen
    os.environ[KEEP] = "1"
    failed = []
    for name in arguments.parse_args().checks or CHECKS:
        begun = time.monotonic()
        try:
            summary = CHECKS[name]()
        except Exception:  # noqa: BLE001 - whatever it found, the others are done too
            traceback.print_exc()
            failed.append(name)
            summary = "FOUND SOMETHING, see above"
        print(f"{name:17} {time.monotonic() - begun:6.0f} s  {summary}", flush=True)
    sys.exit(f"These found something: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
