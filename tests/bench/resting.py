"""What a server holds in memory while nobody asks anything of it.

PSS, that is memory with shared pages divided among those who share them, so that it adds up (proc(5)).
"""

from collections.abc import Iterable

import psutil

from synthgen_ray.domain.params import ModelType
from synthgen_ray.runtime.data_dir import DataDir
from tests.bench.rows import Bench, Figure, Row
from tests.bench.serving import Shop, a_shop, served_by
from tests.servers import SAMPLER, processes_below

# By their titles.
PARTS = {"ingress": "ServeReplica:synthgen:Api", "proxy": "ray::ProxyActor", "metadata": "ray::Metadata"}


def _at_rest(bench: Bench) -> Figure:
    with a_shop() as shop:
        whole = _gib(_all_of(shop))
        parts = {name: _gib(shop.server.processes(title)) for name, title in PARTS.items()}
        for model_type in (ModelType.GAUSSIAN_COPULA, ModelType.CTGAN):  # the second one with PyTorch
            served_by(shop, bench, model_type)
            parts[f"sampler of a {model_type}"] = _gib(shop.server.processes(SAMPLER))
    return Figure(whole, None, "GiB", ", ".join(f"{name} {1024 * size:,.0f} MiB" for name, size in parts.items()))


def _all_of(shop: Shop) -> list[psutil.Process]:
    info = DataDir(shop.server.data_dir).find_info()
    if info is None:
        raise RuntimeError("the server is gone")
    return [psutil.Process(info.pid), *processes_below(info.pid, "")]


def _gib(processes: Iterable[psutil.Process]) -> float:
    return sum(process.memory_full_info().pss for process in processes) / 2**30


ROWS = (Row("served memory at rest", _at_rest),)
