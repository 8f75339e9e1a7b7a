"""How many threads a process computes with, whenever its libraries are imported."""

import subprocess
import sys

import pytest

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
