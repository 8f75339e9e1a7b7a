"""`python -m tests.crashes.by_hand TABLE.csv FOLDER CONFIG`: two workers that share a CTGAN by PyTorch, without Ray and
without a job. The first prints the hash of the rows that the model makes.

They meet in the folder. They leave at once: see `tests/unit/synthesizers/test_parallel.py`.
"""

import hashlib
import io
import json
import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
import torch
import torch.distributed as dist

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import convert
from synthgen_ray.datasets.writing import write_csv
from synthgen_ray.synthesizers import CTGAN

ROWS, SEED = 1000, 1


def main(file: Path, folder: Path, config: dict[str, int]) -> None:
    rank = int(os.fork() == 0)  # here, where all is imported and no thread has begun
    torch.set_num_threads(1)
    table = folder / f"table-{rank}.parquet"
    columns = convert(file, file.name, table, UploadLimits()).columns
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    model = CTGAN(**config).fit(pq.read_table(table), columns=columns)
    if rank == 0:
        rows = io.BytesIO()
        write_csv(model.sample(ROWS, seed=SEED), model.columns, rows)
        print(hashlib.sha256(rows.getvalue()).hexdigest(), flush=True)
    dist.barrier()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
