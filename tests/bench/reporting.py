"""What a report takes, from its POST to the page: seconds, and the memory of the process that makes it.

No package makes the same page: its rows have no peer.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pyarrow as pa
import pyarrow.parquet as parquet

from synthgen_ray.domain.params import ModelType
from tests.bench.rows import SEED, Bench, Figure, Row, seconds
from tests.bench.scores import read
from tests.bench.serving import Shop, given_shop
from tests.servers import UpServer

MANY = 1_000_000
LOOK_S = 0.2
REPORT = "ray::report "  # the title of the process that makes one


def _of_a_table(bench: Bench) -> Figure:
    """Of Adult, all its rows, of which a tenth is held out."""
    table = bench.task.arrow
    if bench.folder:
        table = pa.Table.from_pandas(read(bench.folder / "adult_train.csv.gz"), preserve_index=False)
    return _reported(given_shop(bench), table, bench.rows(table.num_rows))


def _of_many_rows(bench: Bench) -> Figure:
    """Of rows that are as many, like those of Adult, and of a generation of as many."""
    rows = bench.rows(MANY)
    return _reported(given_shop(bench), bench.model(ModelType.GAUSSIAN_COPULA, 0).sample(rows, seed=SEED), rows)


def _reported(shop: Shop, table: pa.Table, rows: int) -> Figure:
    """The seconds of a report on a generation of so many rows, by a Gaussian copula that learnt the table."""
    file = shop.folder / "learnt.parquet"
    parquet.write_table(table, file)
    client = shop.client
    dataset = client.upload_dataset(shop.project_id, f"{rows:,} rows", file)
    config = {"seed": SEED, "holdout_fraction": 0.1}
    model = client.create_model(
        shop.project_id, dataset["dataset_version_id"], "learnt", ModelType.GAUSSIAN_COPULA, config
    )["id"]
    client.wait_for_model(model)
    job = client.generate(model, rows, seed=SEED, format="parquet")["job_id"]
    client.wait_for_job(job)

    def report() -> None:
        made = client.create_report(shop.project_id, model, synthgen_job_id=job, seed=SEED)
        client.wait_for_report(made["id"])
        client.download_report(made["id"], shop.folder / "report.html")

    with _most_memory(shop.server) as seen:
        taken = seconds(report)
    size = f"{(shop.folder / 'report.html').stat().st_size / 2**10:,.0f} KiB of page"
    return Figure(taken, None, "s", f"{max(seen) / 2**30:.2f} GiB at most, {size}")


@contextmanager
def _most_memory(server: UpServer) -> Iterator[list[int]]:
    """The bytes that processes of reports hold, look by look."""
    seen, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            for process in server.processes(REPORT):
                with suppress(psutil.Error):
                    seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


ROWS = (
    Row("served report, 32,561 rows", _of_a_table, "60 s"),
    Row("served report, 1,000,000 rows", _of_many_rows, "120 s, 2 GB"),
)
