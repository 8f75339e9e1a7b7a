"""The images that compose.yaml names: pulled, or else made from Debian's packages."""

import subprocess
import sys
from pathlib import Path

STAND_INS = Path(__file__).parent / "stand_ins"
BASE = "python:3.11.15-slim-trixie"
OTHERS = {
    "postgres:18.6-trixie": "postgres",
    "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z": "minio",
    "prom/prometheus:v3.13.4": "prometheus",
}
# Where pip and TLS of this machine find what they need; Docker's own Python image needs none of it.
VARIABLES = (
    "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PIP_FIND_LINKS=/opt/wheels",
    "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
)


def provide(scratch: Path) -> None:
    if not _is_there(BASE):
        _import_base(scratch)
    for image, folder in OTHERS.items():
        if not _is_there(image):
            subprocess.run(["docker", "build", "--tag", image, str(STAND_INS / folder)], check=True)


def _is_there(image: str) -> bool:
    return any(
        subprocess.run(["docker", *words, image], capture_output=True).returncode == 0
        for words in (("image", "inspect"), ("pull",))
    )


def _import_base(scratch: Path) -> None:
    made = ["bash", str(STAND_INS / "base.sh"), str(scratch / "root"), sys.base_prefix]
    with subprocess.Popen(made, stdout=subprocess.PIPE) as base:
        subprocess.run(
            ["docker", "import", "--change", f"ENV {' '.join(VARIABLES)}", "-", BASE], stdin=base.stdout, check=True
        )
    if base.returncode:
        raise SystemExit(f"{made} ended with {base.returncode}")
