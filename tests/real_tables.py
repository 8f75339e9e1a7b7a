"""The real tables that some tests and all benchmarks read. They lie beside the project, which holds none of them."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"
REQUIRED = os.environ.get("TEST_TABLES") == "required"


def given_real_tables() -> Path:
    """Their folder. Where it is missing a test is skipped, or fails under `TEST_TABLES=required`."""
    if not SHARED.is_dir():
        (pytest.fail if REQUIRED else pytest.skip)(f"The real tables are not in {SHARED}.")
    return SHARED
