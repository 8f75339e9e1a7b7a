"""A table whose models fail for a reason of their own."""

from pathlib import Path

import palmerpenguins
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

PENGUINS = Path(palmerpenguins.__file__).parent / "data" / "penguins.csv"
RINGS = 120


def ringed_penguins(file: Path) -> Path:
    """Penguins with a number of a single byte each: a model of them cannot make a thousand others."""
    birds = pyarrow.csv.read_csv(PENGUINS).slice(0, RINGS)
    pyarrow.parquet.write_table(birds.add_column(0, "ring", pa.array(range(RINGS), pa.int8())), file)
    return file
