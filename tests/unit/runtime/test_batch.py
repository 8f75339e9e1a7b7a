"""A worker of a batch, on whichever node it is."""

import pyarrow as pa
import pytest
import ray

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.errors import Conflict
from synthgen_ray.jobs.batch import Order, Place, begin
from synthgen_ray.runtime.batch import FileMaker
from synthgen_ray.synthesizers import GaussianCopula


def test_a_node_that_does_not_see_the_folder_makes_no_files_of_its_own(tmp_path, monkeypatch):
    file = tmp_path / "model.synthgen"
    GaussianCopula(seed=1).fit(pa.table({"n": [n / 7 for n in range(100)]})).save(file)
    order = Order(model_sha256="ab", chunk_rows=10_000, num_rows=10, seed=1)
    here, elsewhere = (Place(DiskArtifacts(tmp_path / node), "rows") for node in ("here", "elsewhere"))
    begin(here, order, resume=False)
    monkeypatch.setattr(ray, "get", lambda model: model)
    (name,) = order.files

    with pytest.raises(Conflict) as refused:
        FileMaker(file.read_bytes(), order, elsewhere)({"file": name})

    assert refused.value.code == "not_shared"
    assert not (tmp_path / "elsewhere").exists()
    assert FileMaker(file.read_bytes(), order, here)({"file": name})["num_rows"] == 10
