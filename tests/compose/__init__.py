"""`cluster/compose.yaml` at work: `python -m tests.compose`, as root of a machine with Docker and debootstrap.

It builds the image, starts the cluster with two workers on ports 8888, 8265 and 9090, and looks at what a user and an
operator see. Images that cannot be pulled get stand-ins of Debian's packages (`stand_ins/`): PostgreSQL 17 for 18, moto
for MinIO; for Grafana there is none, and it is not started. Where no Docker daemon answers one is started (with the
options in DOCKERD), and ended with all that it had.
"""
