"""The store's process knows what its callers are about."""

import json
from uuid import uuid4

import pytest
from pydantic import SecretStr

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.log_context import about, subject
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.runtime.metadata import Metadata
from synthgen_ray.settings import LogFormat


async def test_its_lines_are_about_what_its_callers_are(tmp_path, capfd):
    url = SecretStr(f"sqlite+aiosqlite:///{tmp_path}/nowhere/synthgen.db")
    metadata, job_id = Metadata(url, Quotas(), {}, LogFormat.JSON), uuid4()
    with about(request_id="r-1", job_id=job_id):
        told = subject()

    with pytest.raises(Unavailable):
        await metadata.call("ping", told)

    (line,) = capfd.readouterr().err.splitlines()
    assert (json.loads(line)["request_id"], json.loads(line)["job_id"]) == ("r-1", str(job_id))
    assert set(subject().values()) == {None}


@pytest.mark.parametrize(
    ("url", "is_its"),
    [
        ("postgresql://synthgen:changed@db:5432/synthgen", True),
        ("postgresql://synthgen:secret@db:5432/other", False),
        ("postgresql://synthgen:secret@elsewhere:5432/synthgen", False),
        ("postgresql://synthgen:secret@db:5432,standby:5433/synthgen", False),
        ("sqlite+aiosqlite:////data/synthgen.db", False),
    ],
)
async def test_a_database_is_the_same_for_whoever_logs_in(url, is_its):
    metadata = Metadata(SecretStr("postgresql://synthgen:secret@db:5432/synthgen"), Quotas(), {}, LogFormat.JSON)

    assert await metadata.keeps(SecretStr(url)) == is_its
