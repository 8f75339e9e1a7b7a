"""Folders for servers and nodes: their names are short, as Ray's socket paths have little room."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

KEEP = "KEEP_WHAT_FAILED"  # of the environment


@contextlib.contextmanager
def a_folder(prefix: str = "sg-") -> Iterator[Path]:
    """Empty at first, and gone at the end; where `KEEP_WHAT_FAILED` is set, and who used it fails, it stays with all
    its logs."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    keeps = False
    try:
        yield folder
    except Exception:
        keeps = KEEP in os.environ
        raise
    finally:
        if keeps:
            print(f"What there was is kept in {folder}", file=sys.stderr, flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)  # some of Ray may still write as it goes
