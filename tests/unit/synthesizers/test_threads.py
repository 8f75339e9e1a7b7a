"""How many threads a process computes with, whenever its libraries are imported."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
import torch

from synthgen_ray.synthesizers.numerics.threads import one_torch_thread

SAID = "import torch; print(torch.get_num_threads(), *{pool['num_threads'] for pool in threadpool_info()})"


@pytest.mark.parametrize("imported", ["numpy", "numpy, torch"])
@pytest.mark.parametrize("threads", [1, 2])
def test_they_are_as_many_as_were_asked_for(imported, threads):
    script = f"import {imported}; from threadpoolctl import threadpool_info"
    script += "; from synthgen_ray.synthesizers.numerics.threads import compute_with"
    script += f"; compute_with({threads}); {SAID}"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(threads)] * 2


def test_pytorch_is_not_imported_for_it():
    script = "import sys; from synthgen_ray.synthesizers.numerics.threads import compute_with; compute_with(1)"

    script += "; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


ABOUT_TO_IMPORT = """
import sys, threading
from synthgen_ray.synthesizers.numerics.faults import is_lack_of_memory
from synthgen_ray.synthesizers.numerics.threads import compute_with

begun, seen = threading.Event(), threading.Event()
another = threading.Thread(target=__import__, args=["torch"])
another.start()
begun.wait()
print(is_lack_of_memory(MemoryError()), is_lack_of_memory(ValueError()))
threading.Timer(0.1, seen.set).start()
compute_with(3)
"""
SLOW_TO_IMPORT = """
import __main__

__main__.begun.set()
__main__.seen.wait()
set_num_threads = print
"""


def test_while_another_thread_imports_pytorch(tmp_path):
    (tmp_path / "torch.py").write_text(SLOW_TO_IMPORT)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {ABOUT_TO_IMPORT}"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.stdout.split(), done.stderr) == (["True", "False", "3"], "")


def threads_of_who_leaves_last() -> int:
    """Of another thread, in the block when this one has left it."""
    begun, to_compute, had = Event(), Event(), []

    def ask() -> None:
        with one_torch_thread():
            begun.set()
            to_compute.wait()
            had.append(torch.get_num_threads())

    other = Thread(target=ask)
    with one_torch_thread():
        other.start()
        begun.wait()
    to_compute.set()
    other.join()
    return had[0]


def test_whoever_asks_for_one_thread_meanwhile_leaves_as_many_as_before():
    torch.set_num_threads(3)
    threads_of_who_leaves_last()

    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(torch.get_num_threads).result()
    torch.set_num_threads(1)
    assert left == 3


def test_whoever_leaves_gives_no_threads_to_one_who_has_not_computed_yet():
    torch.set_num_threads(3)
    had = threads_of_who_leaves_last()

    torch.set_num_threads(1)
    assert had == 1
