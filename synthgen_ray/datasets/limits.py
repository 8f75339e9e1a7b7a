"""How large an upload may be, and the errors of one that is larger or holds nothing."""

from dataclasses import dataclass

from synthgen_ray.domain.errors import InvalidTable, TooLarge

MIB = 2**20


@dataclass(frozen=True)
class UploadLimits:
    """What an upload may hold and take at most. What is over a limit is refused, never cut."""

    max_bytes: int = 512 * MIB  # as uploaded
    max_decoded_bytes: int = 2048 * MIB  # after decompression
    max_rows: int = 10_000_000
    max_columns: int = 1_000
    max_cell_bytes: int = MIB
    max_gzip_ratio: int = 100
    max_row_groups: int = 10_000
    # Of the process that converts it.
    max_memory_bytes: int = 6144 * MIB  # of addresses: the mapped file counts
    max_cpu_seconds: int = 60
    max_running: int = 2
    # Of the disk, below which nothing is taken.
    min_free_bytes: int = 2048 * MIB
    min_free_share: float = 0.05


def too_large(maximum: int) -> TooLarge:
    return TooLarge(f"The table is larger than {maximum:,} bytes.", "payload_too_large")


def too_many_rows(limits: UploadLimits) -> TooLarge:
    return TooLarge(f"The table has more than {limits.max_rows:,} rows.", "too_many_rows")


def too_many_columns(count: int, limits: UploadLimits) -> InvalidTable:
    return InvalidTable(
        f"The table has {count:,} columns; at most {limits.max_columns:,} are taken.", "too_many_columns"
    )


def cell_too_large(row: int, limits: UploadLimits, name: str | None = None) -> InvalidTable:
    where = f" in column '{name}'" if name else ""
    return InvalidTable(f"Row {row:,} has a cell of over {limits.max_cell_bytes:,} bytes{where}.", "cell_too_large")


def no_rows() -> InvalidTable:
    return InvalidTable("The table has no rows.", "no_rows")


def too_complex(what: str) -> InvalidTable:
    return InvalidTable(f"The table takes more than {what} to convert; upload fewer rows at once.", "table_too_complex")
