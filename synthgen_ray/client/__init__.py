"""The Python client. Needs httpx alone. Read `synthgen`, a file per resource, then `connection`, `patience`, `answers`,
`errors`.

with SynthGen("http://127.0.0.1:8888", api_key=KEY) as synthgen:
    project = synthgen.create_project("Bank")
    dataset = synthgen.upload_dataset(project["id"], "accounts", Path("accounts.csv"))
    model = synthgen.create_model(project["id"], dataset["dataset_version_id"], "Accounts")
    synthgen.wait_for_model(model["id"])
    job = synthgen.generate(model["id"], num_rows=1000, seed=42)
    synthgen.wait_for_job(job["synthgen_job_id"])
    synthgen.download(job["synthgen_job_id"], Path("rows.csv"))
"""

from synthgen_ray.client.errors import (
    ApiError,
    ClientError,
    ConnectionFailed,
    DownloadDamaged,
    JobFailed,
    WaitTimedOut,
)
from synthgen_ray.client.synthgen import DEFAULT_URL, SynthGen

__all__ = [
    "DEFAULT_URL",
    "ApiError",
    "ClientError",
    "ConnectionFailed",
    "DownloadDamaged",
    "JobFailed",
    "SynthGen",
    "WaitTimedOut",
]
