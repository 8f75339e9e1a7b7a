"""What a server adds to the drawing of rows: online samples, and generations from their POST to their last byte.

The peer of a sample is the same model in this process; that of a generation to its last byte SDV where it is installed
(the `bench` extra), else the package that the model comes from.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from synthgen_ray.client import SynthGen
from synthgen_ray.domain.params import ModelType
from tests.bench import polling
from tests.bench.conditional import rare_category
from tests.bench.rows import SEED, Bench, Figure, Row, seconds
from tests.bench.sampling import EPOCHS, write
from tests.bench.stock import Stock
from tests.servers import NO_RATE_LIMITS, UpServer, an_up_server, haproxy

CLIENTS = 16
ONLINE_ROWS = 100
ROWS_A_CALL = 10_000
SMALL_CALLS = 600


@dataclass(frozen=True)
class Shop:
    """A server, and a project in it."""

    server: UpServer
    client: SynthGen
    project_id: str
    models: dict[ModelType, str]
    folder: Path

    def metadata_s(self) -> float:
        """Of a processor, that the metadata actor has taken until now."""
        (actor,) = self.server.processes("ray::Metadata")
        return sum(actor.cpu_times()[:2])

    def order(self, model_id: str, accept: str, **params: Any) -> dict[str, Any]:
        url = f"{self.server.url}/api/synthgen/models/{model_id}/sample"
        headers = {"Authorization": f"Bearer {self.server.key}", "Accept": accept}
        return {"method": "POST", "url": url, "headers": headers, "json": params}

    def generate(self, model_id: str, rows: int, to: Path | None = None, **params: Any) -> None:
        """From the POST until the job is completed, or its file is here."""
        job = self.client.generate(model_id, rows, seed=SEED, **params)
        self.client.wait_for_job(job["job_id"])  # told by the server, as the command line is
        if to:
            self.client.download(job["job_id"], to)


@contextmanager
def a_shop(**settings: str) -> Iterator[Shop]:
    with (
        an_up_server(SYNTHGEN_RATE_LIMITS=NO_RATE_LIMITS, **settings) as server,
        server.client() as client,
        tempfile.TemporaryDirectory() as folder,
    ):
        yield Shop(server, client, client.create_project("Bench")["id"], {}, Path(folder))


def given_shop(bench: Bench, behind_haproxy: bool = False) -> Shop:
    """One for all rows, started for the first."""
    name = "shop behind HAProxy" if behind_haproxy else "shop"
    shop: Shop | None = bench.shared.get(name)
    if shop is None:
        shop = bench.shared[name] = bench.held.enter_context(a_shop(**(haproxy() if behind_haproxy else {})))
    return shop


def _served(bench: Bench, model_type: ModelType, behind_haproxy: bool = False) -> tuple[Shop, str]:
    """The model of the other rows, in the memory of a sampler."""
    return served_by(given_shop(bench, behind_haproxy), bench, model_type)


def served_by(shop: Shop, bench: Bench, model_type: ModelType) -> tuple[Shop, str]:
    if model_type not in shop.models:
        file = shop.folder / "model.synthgen"
        bench.model(model_type, bench.epochs(EPOCHS)).save(file)
        model_id = shop.models[model_type] = shop.client.import_model(shop.project_id, model_type, file)["id"]
        shop.client.sample(model_id, 1)
    return shop, shop.models[model_type]


def _online(model_type: ModelType, bench: Bench, behind_haproxy: bool = False) -> Figure:
    shop, model_id = _served(bench, model_type, behind_haproxy)
    model = bench.model(model_type, bench.epochs(EPOCHS))
    with httpx.Client(trust_env=False, timeout=60) as http:
        order = shop.order(model_id, "application/json", num_rows=ONLINE_ROWS, seed=SEED)
        before = shop.metadata_s()
        pairs = bench.pairs(
            lambda: http.request(**order).raise_for_status(),
            lambda: model.sample(ONLINE_ROWS, seed=SEED),
            each=10,
        )
    note = f"medians of {len(pairs)}; {_of_metadata(shop, before, len(pairs))}"
    return Figure.of_pairs([(1000 * ours, 1000 * peer) for ours, peer in pairs], "ms", note)


def _many_clients(model_type: ModelType, bench: Bench, behind_haproxy: bool = False) -> Figure:
    shop, model_id = _served(bench, model_type, behind_haproxy)
    model = bench.model(model_type, bench.epochs(EPOCHS))
    rows, calls = bench.rows(ROWS_A_CALL), 2 * CLIENTS
    served = _called(shop, model_id, rows, calls)
    plain = seconds(lambda: write(model, rows * calls, shop.folder / "plain.csv"))
    return Figure(rows * calls / served, rows * calls / plain, "rows/s", f"{CLIENTS} clients, {rows:,} rows a call")


def _small_calls(bench: Bench, behind_haproxy: bool = False) -> Figure:
    shop, model_id = _served(bench, ModelType.GAUSSIAN_COPULA, behind_haproxy)
    calls, before = bench.rows(SMALL_CALLS), shop.metadata_s()
    taken = _called(shop, model_id, ONLINE_ROWS, calls)
    note = f"{CLIENTS} clients, {ONLINE_ROWS} rows a call; {_of_metadata(shop, before, calls)}"
    return Figure(calls / taken, None, "calls/s", note)


def _of_metadata(shop: Shop, before: float, calls: int) -> str:
    return f"a call takes {1000 * (shop.metadata_s() - before) / calls:.1f} ms of the metadata actor"


def _called(shop: Shop, model_id: str, rows: int, calls: int) -> float:
    """Seconds of so many calls by all clients."""
    order = shop.order(model_id, "text/csv", num_rows=rows, seed=SEED)

    def call(http: httpx.Client) -> None:
        http.request(**order).raise_for_status()

    with httpx.Client(trust_env=False, timeout=600) as http, ThreadPoolExecutor(CLIENTS) as pool:
        return seconds(lambda: list(pool.map(call, [http] * calls)))


def _small_job(bench: Bench) -> Figure:
    shop, model_id = _served(bench, ModelType.GAUSSIAN_COPULA)
    taken = []
    for _ in range(bench.times):
        time.sleep(1.5)  # at rest
        taken.append(seconds(lambda: shop.generate(model_id, 1000)))
    return Figure(statistics.median(taken), None, "s")


def _end_to_end(model_type: ModelType, bench: Bench) -> Figure:
    shop, model_id = _served(bench, model_type)
    peer, name = _package(model_type, bench)
    rows = bench.rows(1_000_000)
    ours, peers = shop.folder / "ours.csv", shop.folder / "peers.csv"
    own_s = seconds(lambda: shop.generate(model_id, rows, to=ours))
    peer_s = seconds(lambda: peer.sample(rows).to_csv(peers, index=False))
    return Figure(own_s, peer_s, "s", f"once; the peer is {name}")


def _package(model_type: ModelType, bench: Bench) -> tuple[Stock, str]:
    """The trained peer, and what it is called."""
    epochs = bench.epochs(EPOCHS)
    if find_spec("sdv") is None:
        return bench.stock(model_type, epochs), "the package that the model comes from: SDV is not installed"
    from tests.bench.peers import SDV, WHO

    return SDV(model_type, epochs).fit(bench.task.train), WHO


def _overhead(model_type: ModelType, bench: Bench) -> Figure:
    shop, model_id = _served(bench, model_type)
    model = bench.model(model_type, bench.epochs(EPOCHS))
    rows = bench.rows(1_000_000)
    own_s = seconds(lambda: shop.generate(model_id, rows))
    peer_s = seconds(lambda: write(model, rows, shop.folder / "plain.csv"))
    return Figure(rows / own_s, rows / peer_s, "rows/s", "once; the peer is one process, all cores")


def _rare(model_type: ModelType, bench: Bench) -> Figure:
    """Rows of a rare category, beside as many of all."""
    shop, model_id = _served(bench, model_type)
    column, value = rare_category(bench.task.train)
    rows = bench.rows(100_000)
    pairs = bench.pairs(
        partial(shop.generate, model_id, rows, conditions={column: value}), partial(shop.generate, model_id, rows)
    )
    return Figure.of_pairs(pairs, "s", f"{column} = {value}; the peer is as many rows without a condition")


def _second_sampler(model_type: ModelType, bench: Bench) -> Figure:
    """What two samplers draw that have a thread each, beside one alone."""
    rows = bench.rows(1_000_000)
    rates = []
    for samplers in (2, 1):
        sampler = {"min_replicas": samplers, "max_replicas": samplers, "threads": 1}
        with a_shop(SYNTHGEN_SAMPLER=json.dumps(sampler)) as alone:
            shop, model_id = served_by(alone, bench, model_type)
            shop.generate(model_id, bench.rows(100_000))  # whoever draws has the model then
            taken = [seconds(partial(shop.generate, model_id, rows)) for _ in range(bench.times)]
        rates.append(rows / statistics.median(taken))
    return Figure(*rates, "rows/s", "2 samplers of a thread each; the peer is 1")


def _polled(bench: Bench, behind_haproxy: bool = False) -> Figure:
    """A job's GET under many clients, beside a bare application of Ray Serve that answers as many bytes."""
    shop, model_id = _served(bench, ModelType.GAUSSIAN_COPULA, behind_haproxy)
    job = shop.client.generate(model_id, 10)["job_id"]
    shop.client.wait_for_job(job)
    path, key = f"/api/synthgen/jobs/{job}", shop.server.key
    answered = 0.5 if bench.quick else 10.0
    with polling.bare_server(haproxy() if behind_haproxy else {}) as port:
        ours = polling.requests_per_second(shop.server.port, path, key, answered)
        bare = polling.requests_per_second(port, path, key, answered)
    return Figure(ours, bare, "requests/s", f"{polling.CLIENTS} clients; the peer asks no store and knows no keys")


KINDS = {"Gaussian copula": ModelType.GAUSSIAN_COPULA, "CTGAN": ModelType.CTGAN, "TVAE": ModelType.TVAE}
END_TO_END = {"Gaussian copula": "5x", "CTGAN": "5x", "TVAE": "3x"}


def _rows(what: str, measure: Callable[..., Figure], must: str | dict[str, str]) -> list[Row]:
    return [
        Row(f"{name} {what}", partial(measure, kind), must if isinstance(must, str) else must[name])
        for name, kind in KINDS.items()
    ]


ROWS = (
    *_rows("served online, 100 rows", _online, "3 x the peer + 10 ms"),
    *_rows("served to 16 clients", _many_clients, "0.8x"),
    Row("served to 16 clients, 100 rows a call, Gaussian copula", _small_calls),
    Row("served generation of 1,000 rows, from POST to completed", _small_job, "0.5 s"),
    *_rows("served generation of 1,000,000 rows, to the last byte of the CSV", _end_to_end, END_TO_END),
    *_rows("served generation beside one process", _overhead, "0.85x"),
    *_rows("served generation of a category of 0.05 %", _rare, "0.05x"),
    *_rows("served generation by 2 samplers, beside 1", _second_sampler, "1.8x"),
    Row("served GET of a job, 64 clients", _polled, "0.5x"),
    *_rows("served online behind HAProxy, 100 rows", partial(_online, behind_haproxy=True), "3 x the peer + 10 ms"),
    *_rows("served to 16 clients behind HAProxy", partial(_many_clients, behind_haproxy=True), "0.8x"),
    Row(
        "served to 16 clients behind HAProxy, 100 rows a call, Gaussian copula",
        partial(_small_calls, behind_haproxy=True),
    ),
    Row("served GET of a job behind HAProxy, 64 clients", partial(_polled, behind_haproxy=True), "0.5x"),
)
