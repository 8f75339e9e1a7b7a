"""Files here, by their paths as callers write them."""

from os import PathLike
from pathlib import Path

FilePath = str | PathLike[str]


def path_of(file: object) -> Path:
    """Raises: TypeError, for what is no path, a data frame above all."""
    if isinstance(file, str | PathLike):
        return Path(file)
    found = type(file).__name__
    raise TypeError(f"The path of a file is wanted, not a {found}; write a table to one first, such as Parquet.")
