"""`python -m tests.crashes.processes TIMES`: what becomes of the processes of jobs, on a Ray of its own.

So many tasks of a moment, one after the other, that answer and that raise: how Ray takes the end of one is what ends a
dispatcher, or does not. Then those who lead others: which of them stay. And who sees a GPU.
"""

import asyncio
import os
import sys

import psutil
import ray

from synthgen_ray.domain.errors import JobError, Unexpected, WorkerLost
from synthgen_ray.runtime.environment import DEFAULTS
from synthgen_ray.runtime.own_ray import start_ray
from synthgen_ray.runtime.processes import Leaders, run_warm
from tests.folders import a_folder
from tests.servers import wait_until

SEES_GPUS = "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"


def work(number: int) -> int:
    if number % 2:
        raise ArithmeticError
    return number


async def end_many_tasks(times: int) -> None:
    for number in range(times):
        try:
            assert await run_warm(work, "work", 0, number) == number
        except Unexpected:
            assert number % 2


def own_pid(does_raise: bool) -> int:
    if does_raise:
        raise JobError(str(os.getpid()), "raised")
    return os.getpid()


def die() -> None:
    os._exit(1)


async def lead_one_after_the_other() -> None:
    leaders = Leaders()

    async def led(does_raise: bool = False) -> int:
        try:
            return await leaders.lead(own_pid, "lead", does_raise)
        except JobError as error:
            return int(error.detail)

    first = await led()
    assert await led(does_raise=True) == first, "one that raised is as good as new"
    assert await led() == first, "it stays"
    one, other = await asyncio.gather(led(), led())
    assert one != other, "each leads one at a time"
    await lead_and_die(leaders)
    idle = await led()
    assert idle in {one, other}, "one of two has died"
    psutil.Process(idle).kill()
    third = await led()
    assert third not in {one, other}, "of one that died while it was idle nobody hears"
    psutil.Process(third).suspend()
    assert await led() not in {one, other, third}, "nor of one that hangs"
    wait_until(lambda: not psutil.pid_exists(third), "it is gone")


async def lead_and_die(leaders: Leaders) -> None:
    try:
        await leaders.lead(die, "lead")
    except WorkerLost:
        return
    raise AssertionError("who led is gone, and it was not told")


def gpus_seen() -> str:
    return os.environ.get("CUDA_VISIBLE_DEVICES", "all")


async def look_for_gpus() -> None:
    assert await run_warm(gpus_seen, "look", 0) == "", "who was given no GPU sees none"
    assert await Leaders().lead(gpus_seen, "look") == "", "nor does who leads others"
    assert ray.get(ray.remote(gpus_seen).options(num_gpus=0.5).remote()) == "0", "who was given half of one sees it"


async def main(times: int) -> None:
    await look_for_gpus()
    await end_many_tasks(times)
    await lead_one_after_the_other()


if __name__ == "__main__":
    with a_folder() as folder:
        os.environ.setdefault(SEES_GPUS, DEFAULTS[SEES_GPUS])
        start_ray(folder / "ray", unseen=True, num_cpus=1, num_gpus=1)  # Ray takes our word for it
        asyncio.run(main(int(sys.argv[1])))
        ray.shutdown()
