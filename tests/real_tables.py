"""Where the real tables are that some tests and all benchmarks read: beside the project, which holds none of them."""

from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared" / "data"
