"""An empty folder of each test's own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    # Its name is short, as Ray's socket paths have little room; some of Ray may still write as it goes.
    with tempfile.TemporaryDirectory(prefix="sg-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
